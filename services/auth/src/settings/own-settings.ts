import type { Logger } from '@claviger/service-kit';
import {
  createReader,
  type SectionValues,
  type SettingsReader,
  type SettingsSource,
  sections,
} from '@claviger/settings';

/** The sections that auth itself reads. */
export type OwnSettings = SettingsReader<'access' | 'licence'>;

/** Creates a reader without a cache: auth stores the settings itself. */
export function createOwnSettings(source: SettingsSource, logger: Logger): OwnSettings {
  return createReader({ source, sections: ['access', 'licence'], logger, freshMs: 0 });
}

/** Reads the platform's `passwords` section. Changes take effect at the next start. */
export async function readPasswordSettings(
  source: SettingsSource,
): Promise<SectionValues<'passwords'>['passwords']> {
  const { values } = await source({ tenantId: '', sections: ['passwords'], knownVersion: '' });
  return sections.passwords.parse((values?.passwords ?? {}) as Record<string, unknown>);
}
