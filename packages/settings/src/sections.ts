import type { Section, SettingKeys, SettingValues } from './section.ts';
import { access } from './sections/access.ts';
import { assistant } from './sections/assistant.ts';
import { breakglass } from './sections/breakglass.ts';
import { elevation } from './sections/elevation.ts';
import { licence } from './sections/licence.ts';
import { logging } from './sections/logging.ts';
import { passwords } from './sections/passwords.ts';
import { siem } from './sections/siem.ts';

/** All sections. */
export const sections = {
  access,
  assistant,
  breakglass,
  elevation,
  licence,
  logging,
  passwords,
  siem,
} as const;

export type SectionName = keyof typeof sections;

/** The values of the named sections, e.g. `SectionValues<'siem' | 'access'>['access']`. */
export type SectionValues<N extends SectionName> = {
  readonly [P in N]: (typeof sections)[P] extends Section<string, infer K extends SettingKeys>
    ? SettingValues<K>
    : never;
};
