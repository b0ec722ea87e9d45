import { publicOrListed, type TargetPolicy } from '@claviger/outbound';
import type { AuditConfig } from '../config.ts';

const LOOPBACK = ['127.0.0.0/8', '::1/128'];

/**
 * What SIEM targets may be: public addresses, and the networks that the operator lists. This machine itself only outside of production:
 * a tenant could otherwise reach through a target what listens on loopback.
 */
export function siemPolicy({ environment, siem }: Pick<AuditConfig, 'environment' | 'siem'>): TargetPolicy {
  const own = environment === 'production' ? [] : LOOPBACK;
  return publicOrListed({ cidrs: [...siem.allowedCidrs, ...own] });
}
