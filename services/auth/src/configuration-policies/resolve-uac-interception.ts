import type { ConfigurationScope } from '../schema.ts';

/** The setting of one level for a device; null if the level does not set it. */
export interface LevelSetting {
  readonly scope: ConfigurationScope;
  readonly scopeId: string;
  readonly enabled: boolean | null;
}

export interface Resolved {
  readonly enabled: boolean;
  readonly scope: ConfigurationScope | 'default';
  readonly scopeId: string;
}

const CLOSEST_FIRST: readonly ConfigurationScope[] = ['device', 'group', 'site', 'organization', 'partner'];

/**
 * Decides whether a device captures elevation prompts: the closest level that sets it applies. A device may
 * be in several groups; if they disagree, off applies. If no level sets it, the device captures prompts.
 */
export function resolveUacInterception(settings: readonly LevelSetting[]): Resolved {
  for (const scope of CLOSEST_FIRST) {
    const set = settings
      .filter((setting) => setting.scope === scope && setting.enabled !== null)
      .sort(
        (one, other) => Number(one.enabled) - Number(other.enabled) || (one.scopeId < other.scopeId ? -1 : 1),
      );
    const [first] = set;
    if (first) return { enabled: first.enabled === true, scope, scopeId: first.scopeId };
  }
  return { enabled: true, scope: 'default', scopeId: '' };
}
