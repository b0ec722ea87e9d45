import { createHmac, hkdfSync } from 'node:crypto';
import { addressPrefix } from '@claviger/service-kit';

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
    address: (tier, address) =>
      `claviger:limit:${tier}:a:${digest('address', addressPrefix(address) ?? address)}`,
  };
}
