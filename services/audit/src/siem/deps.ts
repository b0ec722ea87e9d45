import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { TargetPolicy } from '@claviger/outbound';
import type { Logger } from '@claviger/service-kit';
import type { SectionValues } from '@claviger/settings';
import type { AuditSchema } from '../schema.ts';

export type SiemTarget = SectionValues<'siem'>['siem']['targets'][number];

/** Dependencies of SIEM forwarding. */
export interface SiemDeps {
  readonly database: Database<AuditSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly settings: SiemSettings;
  /** Returns the policy of permitted addresses at the time of the call. */
  readonly destinationPolicy: () => TargetPolicy;
}

export interface SiemSettings {
  read(
    tenantId: string,
    options?: { readonly maxAgeMs?: number },
  ): Promise<{ readonly version: string; readonly values: SectionValues<'siem'> }>;
}

/**
 * The destinations of a tenant, disabled ones included. Use `maxAgeMs: 0` for people, who may have just
 * changed them.
 */
export async function targetsOf(
  settings: SiemSettings,
  tenantId: string,
  options?: { readonly maxAgeMs: number },
): Promise<readonly SiemTarget[]> {
  return (await settings.read(tenantId, options)).values.siem.targets;
}
