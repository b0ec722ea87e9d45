import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ConfigurationScope } from '../schema.ts';
import { type LevelSaying, type Resolved, resolveUacInterception } from './resolve-uac-interception.ts';

const SCOPES: readonly ConfigurationScope[] = ['partner', 'organization', 'site', 'group', 'device'];
const SAYS = [true, false, null] as const;

const say = (scope: ConfigurationScope, enabled: boolean | null, scopeId: string = scope): LevelSaying => ({
  scope,
  scopeId,
  enabled,
});

/** Every combination of what the five levels may say: 3^5 of them. */
const combinations = SCOPES.reduce<LevelSaying[][]>(
  (made, scope) => made.flatMap((sayings) => SAYS.map((enabled) => [...sayings, say(scope, enabled)])),
  [[]],
);

test('of all combinations of levels the closest that says something decides', () => {
  expect(combinations).toHaveLength(243);
  for (const sayings of combinations) {
    let expected: Resolved = { enabled: true, scope: 'default', scopeId: '' };
    // From far to near, each that says something takes over.
    for (const { scope, scopeId, enabled } of sayings)
      if (enabled !== null) expected = { enabled, scope, scopeId };
    expect(resolveUacInterception(sayings)).toEqual(expected);
  }
});

test.each<[string, LevelSaying[], Resolved]>([
  ['nobody says anything', [], { enabled: true, scope: 'default', scopeId: '' }],
  [
    'all levels leave it open',
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
    'one group leaves it open, the site says off',
    [say('group', null, 'a'), say('site', false)],
    { enabled: false, scope: 'site', scopeId: 'site' },
  ],
  [
    'several groups say off: the first of them by id is named',
    [say('group', false, 'z'), say('group', false, 'k')],
    { enabled: false, scope: 'group', scopeId: 'k' },
  ],
])('%s', (_, sayings, expected) => {
  expect(resolveUacInterception(sayings)).toEqual(expected);
});

/** Written apart from the rule: look at each level in turn, say what its members say together. */
function oracle(sayings: readonly LevelSaying[]): { enabled: boolean; scope: string } {
  for (const scope of ['device', 'group', 'site', 'organization', 'partner']) {
    let on = 0;
    let off = 0;
    for (const saying of sayings) {
      if (saying.scope !== scope) continue;
      if (saying.enabled === true) on += 1;
      if (saying.enabled === false) off += 1;
    }
    if (off > 0) return { enabled: false, scope };
    if (on > 0) return { enabled: true, scope };
  }
  return { enabled: true, scope: 'default' };
}

test('whatever is said, in whatever order, the rule agrees with a naive reading of it', () => {
  const sayings = fc.array(
    fc.record({
      scope: fc.constantFrom(...SCOPES),
      scopeId: fc.constantFrom('a', 'b', 'c', 'd'),
      enabled: fc.constantFrom(...SAYS),
    }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(sayings, (said) => {
      const before = structuredClone(said);
      const { enabled, scope, scopeId } = resolveUacInterception(said);
      expect({ enabled, scope }).toEqual(oracle(said));
      // The level that is named says so.
      if (scope !== 'default') expect(said).toContainEqual({ scope, scopeId, enabled });
      expect(resolveUacInterception([...said].reverse())).toEqual({ enabled, scope, scopeId });
      expect(said).toEqual(before);
    }),
  );
});
