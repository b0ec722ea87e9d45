import { type Platform, publicOrListed, type TargetPolicy } from '@claviger/outbound';
import type { AuditConfig } from '../config.ts';

/** What SIEM targets may be: public addresses, the networks that the operator lists, and the addresses that the operator opened. */
export function siemPolicy({ siem }: Pick<AuditConfig, 'siem'>, platform: Platform): () => TargetPolicy {
  return () => publicOrListed({ cidrs: siem.allowedCidrs }, platform.rules());
}
