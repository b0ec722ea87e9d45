import { createHmac, hkdfSync } from 'node:crypto';
import { isIPv6 } from 'node:net';

/** Keys of limits, without saying in Redis who they belong to. */
export interface LimitKeys {
  user(tier: string, tenantId: string, userId: string): string;
  /** One API token: a robot does not use up what its owner may do. */
  token(tier: string, sessionId: string): string;
  /** One device, whichever token its agent shows: a new token is no new budget. */
  device(tier: string, tenantId: string, deviceId: string): string;
  tenant(tenantId: string): string;
  /** Everybody without a name, together. */
  readonly anonymous: string;
  /** One address, or the /64 that an IPv6 client can choose from. */
  address(tier: string, address: string): string;
  /** An account that somebody tries to sign in to, whether it exists or not. */
  account(tier: string, tenant: string, username: string): string;
}

/** `secret` is shared by the replicas and known to nobody else: the password of the Redis that holds the keys. */
export function createLimitKeys(secret: string): LimitKeys {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'claviger gateway limit keys v1', 32));
  const digest = (...parts: string[]): string => {
    const hmac = createHmac('sha256', key);
    for (const part of parts) hmac.update(`${part.length}:${part}`);
    return hmac.digest('base64url').slice(0, 22);
  };
  return {
    // Ids tell nothing by themselves; a hash for every request would only cost time.
    user: (tier, tenantId, userId) => `claviger:limit:${tier}:u:${tenantId}:${userId}`,
    token: (tier, sessionId) => `claviger:limit:${tier}:t:${sessionId}`,
    device: (tier, tenantId, deviceId) => `claviger:limit:${tier}:d:${tenantId}:${deviceId}`,
    tenant: (tenantId) => `claviger:limit:tenant:${tenantId}`,
    anonymous: 'claviger:limit:anonymous',
    address: (tier, address) => `claviger:limit:${tier}:a:${digest('address', prefixOf(address))}`,
    account: (tier, tenant, username) =>
      `claviger:limit:${tier}:n:${digest('account', tenant.toLowerCase(), username.normalize('NFKC').toLowerCase())}`,
  };
}

function prefixOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(gap).fill('0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
