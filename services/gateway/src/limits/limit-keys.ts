import { createHmac, hkdfSync } from 'node:crypto';
import { addressPrefix } from '@claviger/service-kit';

/** Redis keys of the limits. */
export interface LimitKeys {
  user(tier: string, tenantId: string, userId: string): string;
  /** Per API token: a machine identity does not use the limit of its owner. */
  token(tier: string, sessionId: string): string;
  /** Per device, not per token: a new token does not renew the limit. */
  device(tier: string, tenantId: string, deviceId: string): string;
  tenant(tenantId: string): string;
  /** All anonymous requests together. */
  readonly anonymous: string;
  /** Per address; for IPv6 per /64, because a client can use any address of its /64. */
  address(tier: string, address: string): string;
}

/** `secret` is shared by all gateways and known to no client: the password of the Redis with these keys. */
export function createLimitKeys(secret: string): LimitKeys {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'claviger gateway limit keys v1', 32));
  const digest = (...parts: string[]): string => {
    const hmac = createHmac('sha256', key);
    for (const part of parts) hmac.update(`${part.length}:${part}`);
    return hmac.digest('base64url').slice(0, 22);
  };
  return {
    // Ids are not sensitive; hashing them would only cost time.
    user: (tier, tenantId, userId) => `claviger:limit:${tier}:u:${tenantId}:${userId}`,
    token: (tier, sessionId) => `claviger:limit:${tier}:t:${sessionId}`,
    device: (tier, tenantId, deviceId) => `claviger:limit:${tier}:d:${tenantId}:${deviceId}`,
    tenant: (tenantId) => `claviger:limit:tenant:${tenantId}`,
    anonymous: 'claviger:limit:anonymous',
    address: (tier, address) =>
      `claviger:limit:${tier}:a:${digest('address', addressPrefix(address) ?? address)}`,
  };
}
