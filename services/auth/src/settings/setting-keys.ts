import { type SectionName, type SettingKey, sections } from '@claviger/settings';

export interface NamedKey {
  /** e.g. `access.maximumGrantMinutes` */
  readonly name: string;
  readonly section: SectionName;
  readonly member: string;
  readonly key: SettingKey;
}

/** All settings by name. */
export const settingKeys: ReadonlyMap<string, NamedKey> = new Map(
  Object.entries(sections).flatMap(([section, { keys }]) =>
    Object.entries(keys as Readonly<Record<string, SettingKey>>).map(([member, key]) => [
      `${section}.${member}`,
      { name: `${section}.${member}`, section: section as SectionName, member, key },
    ]),
  ),
);

/**
 * Returns the settings in scope: all settings for administrators of the platform, otherwise those of a
 * tenant.
 */
export function keysInScope(platform: boolean): NamedKey[] {
  return [...settingKeys.values()].filter(({ key }) => platform || key.scope === 'tenant');
}

/** Groups values by section and member, as the API shows them. */
export function bySection(
  values: Iterable<readonly [NamedKey, unknown]>,
): Record<string, Record<string, unknown>> {
  const out: Record<string, Record<string, unknown>> = {};
  for (const [{ section, member }, value] of values) {
    out[section] ??= {};
    out[section][member] = value;
  }
  return out;
}
