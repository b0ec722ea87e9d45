import type { Logger } from '@claviger/service-kit';
import {
  createReader,
  type SectionValues,
  type SettingsReader,
  type SettingsSource,
  sections,
} from '@claviger/settings';

/** The sections that this service itself reads. */
export type OwnSettings = SettingsReader<'access' | 'licence'>;

/** Reads the database at each question: this service keeps the settings. */
export function createOwnSettings(source: SettingsSource, logger: Logger): OwnSettings {
  return createReader({ source, sections: ['access', 'licence'], logger, freshMs: 0 });
}

/** The platform's `passwords` section as it is now; a start takes it up. */
export async function readPasswordSettings(
  source: SettingsSource,
): Promise<SectionValues<'passwords'>['passwords']> {
  const { values } = await source({ tenantId: '', sections: ['passwords'], knownVersion: '' });
  return sections.passwords.parse((values?.passwords ?? {}) as Record<string, unknown>);
}
