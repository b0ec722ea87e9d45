import { type Platform, publicOrListed, type TargetPolicy } from '@claviger/outbound';
import type { AuditConfig } from '../config.ts';

/**
 * Permitted SIEM destinations: public addresses, configured networks and addresses opened by the operator.
 */
export function siemPolicy({ siem }: Pick<AuditConfig, 'siem'>, platform: Platform): () => TargetPolicy {
  return () => publicOrListed({ cidrs: siem.allowedCidrs }, platform.rules());
}
