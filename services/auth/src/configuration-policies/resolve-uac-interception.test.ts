import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ConfigurationScope } from '../schema.ts';
import { type LevelSetting, type Resolved, resolveUacInterception } from './resolve-uac-interception.ts';

const SCOPES: readonly ConfigurationScope[] = ['partner', 'organization', 'site', 'group', 'device'];
const SAYS = [true, false, null] as const;

const say = (scope: ConfigurationScope, enabled: boolean | null, scopeId: string = scope): LevelSetting => ({
  scope,
  scopeId,
  enabled,
});

/** All 3^5 combinations of the settings of the five levels. */
const combinations = SCOPES.reduce<LevelSetting[][]>(
  (made, scope) => made.flatMap((settings) => SAYS.map((enabled) => [...settings, say(scope, enabled)])),
  [[]],
);

test('for all combinations of levels, the closest level with a setting decides', () => {
  expect(combinations).toHaveLength(243);
  for (const settings of combinations) {
    let expected: Resolved = { enabled: true, scope: 'default', scopeId: '' };
    // From the farthest to the closest level: each level that has a setting overrides.
    for (const { scope, scopeId, enabled } of settings)
      if (enabled !== null) expected = { enabled, scope, scopeId };
    expect(resolveUacInterception(settings)).toEqual(expected);
  }
});

test.each<[string, LevelSetting[], Resolved]>([
  ['no level has a setting', [], { enabled: true, scope: 'default', scopeId: '' }],
  [
    'all levels are unset',
    SCOPES.map((scope) => say(scope, null)),
    { enabled: true, scope: 'default', scopeId: '' },
  ],
  [
    'groups disagree',
    [say('group', true, 'a'), say('group', false, 'b'), say('group', true, 'c')],
    { enabled: false, scope: 'group', scopeId: 'b' },
  ],
  [
    'groups disagree and the device says on',
    [say('group', false, 'b'), say('device', true)],
    { enabled: true, scope: 'device', scopeId: 'device' },
  ],
  [
    'one group is unset, the site says off',
    [say('group', null, 'a'), say('site', false)],
    { enabled: false, scope: 'site', scopeId: 'site' },
  ],
  [
    'several groups say off: the first of them by id is named',
    [say('group', false, 'z'), say('group', false, 'k')],
    { enabled: false, scope: 'group', scopeId: 'k' },
  ],
])('%s', (_, settings, expected) => {
  expect(resolveUacInterception(settings)).toEqual(expected);
});

/** An independent implementation: visits the levels one after the other and combines the settings of each. */
function oracle(settings: readonly LevelSetting[]): { enabled: boolean; scope: string } {
  for (const scope of ['device', 'group', 'site', 'organization', 'partner']) {
    let on = 0;
    let off = 0;
    for (const setting of settings) {
      if (setting.scope !== scope) continue;
      if (setting.enabled === true) on += 1;
      if (setting.enabled === false) off += 1;
    }
    if (off > 0) return { enabled: false, scope };
    if (on > 0) return { enabled: true, scope };
  }
  return { enabled: true, scope: 'default' };
}

test('for any settings in any order, the rule agrees with a naive implementation', () => {
  const settings = fc.array(
    fc.record({
      scope: fc.constantFrom(...SCOPES),
      scopeId: fc.constantFrom('a', 'b', 'c', 'd'),
      enabled: fc.constantFrom(...SAYS),
    }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(settings, (said) => {
      const before = structuredClone(said);
      const { enabled, scope, scopeId } = resolveUacInterception(said);
      expect({ enabled, scope }).toEqual(oracle(said));
      // The named source has this setting.
      if (scope !== 'default') expect(said).toContainEqual({ scope, scopeId, enabled });
      expect(resolveUacInterception([...said].reverse())).toEqual({ enabled, scope, scopeId });
      expect(said).toEqual(before);
    }),
  );
});
