import fc from 'fast-check';
import type { Facts } from './facts.ts';
import type { AccessTerms, Rule, SoftwareEntry } from './rule.ts';
import { PATHS } from './test-oracle.ts';
import { ruleFieldsOf, validateRule } from './validate-rule.ts';

/** Few values, so that rules and requests match often. */
export const USERS = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`);
export const SITES = ['00000000-0000-4000-9000-00000000000a', '00000000-0000-4000-9000-00000000000b'];
const RESOURCES = ['00000000-0000-4000-a000-000000000001', '00000000-0000-4000-a000-000000000002'];
export const HASHES = ['aa', 'bb', 'cc'].map((two) => two.repeat(32));
export const SIGNERS = ['Mozilla Corporation', 'mozilla corporation', 'Contoso'];
const NAMES = ['acme\\sarah', 'ACME\\Bob', 'evil\\sarah'];
const GROUPS = ['Helpdesk', 'Developers'];
const TOOLS = ['restart', 'delete'];
const INSTANTS = [
  '2026-11-20T08:30:00Z',
  '2026-11-21T23:30:00Z',
  '2026-03-29T01:10:00Z',
  '2026-10-25T00:20:00+02:00',
];
const GLOBS = [
  'C:\\Tools\\*',
  '*\\a.exe',
  'C:\\Tools\\?.exe',
  'D:\\Users\\*\\Setup*.msi',
  '*',
  '\\\\srv\\share\\a.exe',
  '*.msi',
];

const one = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
/** Asked by one rule in `of`. */
const sometimes = <T>(value: fc.Arbitrary<T>, of = 3): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 1, arbitrary: value }, { weight: of - 1, arbitrary: fc.constant(null) });

const window = fc.record({
  start: one(['00:00', '02:15', '09:00', '22:00']),
  end: one(['02:45', '06:00', '17:30', '23:59']),
  days: fc.option(fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1 })),
  timezone: fc.option(one(['Europe/Berlin', 'America/New_York'])),
});

const people = {
  authorIds: fc.uniqueArray(one(USERS), { maxLength: 2 }),
  coSignerIds: fc.uniqueArray(one(USERS), { maxLength: 1 }),
};
const common = {
  priority: fc.integer({ min: 1, max: 4 }).map((n) => n * 10),
  enabled: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
  siteId: sometimes(one(SITES), 6),
  matchUser: sometimes(one(NAMES), 4),
  matchAdGroup: sometimes(one(GROUPS), 5),
  timeWindow: sometimes(window, 5),
  ...people,
};
const verdict = one([
  'auto_approve',
  'auto_approve',
  'auto_deny',
  'require_approval',
  'ignore',
  'ignore',
] as const);

const executableRule = fc.record({
  ...common,
  verdict,
  matchHash: sometimes(one(HASHES)),
  matchSigner: sometimes(one(SIGNERS)),
  matchPathGlob: sometimes(one(GLOBS), 2),
  matchParentImage: sometimes(one(['explorer.exe', 'C:\\Windows\\explorer.exe', 'cmd.exe'])),
});
const toolRule = fc.record({
  ...common,
  verdict,
  matchToolName: sometimes(one(TOOLS), 2),
  matchRiskTier: sometimes(fc.integer({ min: 0, max: 4 }), 2),
});
const terms: fc.Arbitrary<AccessTerms> = fc.record({
  steps: fc.array(
    fc.record({
      name: fc.constant('approval'),
      quorum: fc.constant(1),
      approverUserIds: fc.uniqueArray(one(USERS), { maxLength: 2 }),
      approverRoles: fc.uniqueArray(one(['security']), { maxLength: 1 }),
    }),
    { maxLength: 2 },
  ),
  maxDurationMinutes: one([30, 60]),
  requiresReason: fc.boolean(),
  oneTime: fc.boolean(),
  rotateOnEnd: fc.boolean(),
  requestTtlMinutes: fc.constant(60),
});
const accessRule = fc
  .record({ ...common, matchResourceId: one([...RESOURCES, '*']), access: terms, denies: fc.boolean() })
  .map(({ denies, ...rule }) => {
    const asks = rule.access.steps.length > 0 ? ('require_approval' as const) : ('auto_approve' as const);
    return { ...rule, verdict: denies ? ('auto_deny' as const) : asks };
  });

/** Valid rules of every shape, with distinct ids. */
export const ruleList: fc.Arbitrary<Rule[]> = fc
  .array(fc.oneof(executableRule, toolRule, accessRule), { maxLength: 12 })
  .map((list) => list.map((rule, n): Rule => ({ ...rule, id: `rule-${n}`, name: `rule ${n}` })))
  .map((list) => list.filter((rule) => validateRule(ruleFieldsOf(rule)).length === 0));

export const entryList: fc.Arbitrary<SoftwareEntry[]> = fc
  .array(
    fc.record({
      ...people,
      list: one(['allow', 'deny'] as const),
      siteId: sometimes(one(SITES), 6),
      matchHash: sometimes(one(HASHES), 2),
      matchSigner: sometimes(one(SIGNERS), 2),
      matchPathGlob: sometimes(one(GLOBS)),
    }),
    { maxLength: 3 },
  )
  .map((list) => list.map((entry, n): SoftwareEntry => ({ ...entry, id: `entry-${n}`, name: `entry ${n}` })))
  .map((list) => list.filter((entry) => entry.matchHash ?? entry.matchSigner ?? entry.matchPathGlob));

/** A fact that usually has a value, sometimes null, sometimes unknown. */
const fact = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null | undefined> =>
  fc.oneof(
    { weight: 12, arbitrary: value },
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );

const commonFacts = {
  at: one(INSTANTS),
  siteId: fact(one(SITES)),
  subjectUserId: fact(one(USERS)),
  otherUserIds: fc.option(fc.uniqueArray(one(USERS), { maxLength: 2 }), { freq: 1, nil: undefined }),
  username: fact(one(NAMES)),
  groups: fc.option(fc.uniqueArray(one(GROUPS)), { freq: 9, nil: undefined }),
};

export const anyFacts: fc.Arbitrary<Facts> = fc
  .oneof(
    fc.record({
      ...commonFacts,
      kind: fc.constant('elevation' as const),
      deviceUserIds: fact(fc.uniqueArray(one(USERS), { maxLength: 2 })),
      flowType: one(['uac_intercept', 'uac_intercept', 'uac_intercept', 'tech_jit_admin'] as const),
      path: fact(one(Object.keys(PATHS))),
      hash: fact(one(HASHES)),
      signer: fact(one(SIGNERS)),
      parentImage: fact(one(Object.keys(PATHS))),
    }),
    fc.record({
      ...commonFacts,
      kind: fc.constant('tool' as const),
      toolName: fact(one(TOOLS)),
      riskTier: fact(fc.integer({ min: 0, max: 4 })),
      actionDigest: fact(one(HASHES)),
    }),
    fc.record({
      ...commonFacts,
      kind: fc.constant('access' as const),
      resourceId: fact(one(RESOURCES)),
      durationMinutes: fact(one([10, 45, 90])),
      reason: fact(one(['why', ' '])),
    }),
  )
  // Facts are JSON, which has no undefined.
  .map((facts) => JSON.parse(JSON.stringify(facts)) as Facts);
