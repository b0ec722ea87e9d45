import type { TargetPolicy } from '@claviger/outbound';
import type { SectionValues } from '@claviger/settings';
import type { AuditDeps } from '../audit-deps.ts';

export type SiemTarget = SectionValues<'siem'>['siem']['targets'][number];

/** What passing the log on works with. */
export interface SiemDeps extends Pick<AuditDeps, 'database' | 'emitter' | 'logger'> {
  readonly settings: SiemSettings;
  /** What may be reached from here at this moment. */
  readonly destinationPolicy: () => TargetPolicy;
}

export interface SiemSettings {
  read(
    tenantId: string,
    options?: { readonly maxAgeMs?: number },
  ): Promise<{ readonly version: string; readonly values: SectionValues<'siem'> }>;
}

/** The targets of a tenant, disabled ones too. `maxAgeMs: 0` for people, who may have set them a second ago. */
export async function targetsOf(
  settings: SiemSettings,
  tenantId: string,
  options?: { readonly maxAgeMs: number },
): Promise<readonly SiemTarget[]> {
  return (await settings.read(tenantId, options)).values.siem.targets;
}
