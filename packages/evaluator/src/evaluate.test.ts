import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { evaluate } from './evaluate.ts';
import type { ElevationFacts, Facts, ToolFacts } from './facts.ts';
import type { Rule } from './rule.ts';
import { compileRuleSet } from './rule-set.ts';
import { anyFacts, entryList, HASHES, ruleList, SITES, USERS } from './test-arbitraries.ts';
import { oracle } from './test-oracle.ts';

const facts: ElevationFacts = {
  kind: 'elevation',
  flowType: 'uac_intercept',
  at: '2026-11-20T08:30:00Z',
  siteId: SITES[0]!,
  subjectUserId: USERS[1]!,
  username: 'acme\\sarah',
  path: 'C:\\Users\\sarah\\Downloads\\FirefoxSetup.exe',
  hash: HASHES[0]!,
  signer: 'Mozilla Corporation',
  parentImage: 'C:\\Windows\\explorer.exe',
};
const tool: ToolFacts = {
  kind: 'tool',
  at: facts.at,
  siteId: null,
  subjectUserId: USERS[0]!,
  username: 'acme\\sarah',
  groups: [],
  toolName: 'restart',
  riskTier: 1,
  actionDigest: HASHES[1]!,
};

let ids = 0;
const rule = (fields: Partial<Rule>): Rule => ({
  id: `rule-${ids++}`,
  name: 'a rule',
  verdict: 'auto_approve',
  authorIds: [],
  ...fields,
});
const verdict = (rules: readonly Rule[], changes: Partial<ElevationFacts> = {}): string =>
  evaluate(compileRuleSet('1', rules), { ...facts, ...changes }).verdict;

test('indexed evaluation agrees with the oracle, verdict and rule, for every kind of request', () => {
  const reached = new Map<string, number>();
  fc.assert(
    fc.property(ruleList, entryList, anyFacts, (rules, entries, asked) => {
      const found = evaluate(compileRuleSet('1', rules, entries), asked);
      const [expected, ruleId] = oracle(rules, entries, asked);
      expect([found.verdict, found.decidingRule?.id ?? null]).toEqual([expected, ruleId]);
      reached.set(found.verdict, (reached.get(found.verdict) ?? 0) + 1);
    }),
    { numRuns: 2_500 },
  );
  expect([...reached.keys()].sort()).toEqual([
    'auto_approved',
    'denied',
    'ignored',
    'needs_approval',
    'pending',
  ]);
});

test('the order of the list, a second evaluation and a stored copy of the facts change nothing', () => {
  fc.assert(
    fc.property(ruleList, entryList, anyFacts, (rules, entries, asked) => {
      const first = evaluate(compileRuleSet('7', rules, entries), asked);
      const turned = compileRuleSet('7', [...rules].reverse(), [...entries].reverse());
      expect(evaluate(turned, structuredClone(asked))).toEqual(first);
      expect(evaluate(turned, asked)).toEqual(first);
    }),
    { numRuns: 500 },
  );
});

test('H-197 of equal priority deny wins, then asking, ignoring and approving', () => {
  const matchSigner = 'Mozilla Corporation';
  const all = (['auto_approve', 'ignore', 'require_approval', 'auto_deny'] as const).map((each) =>
    rule({ verdict: each, matchSigner, priority: 5 }),
  );
  expect(verdict(all)).toBe('denied');
  expect(verdict(all.slice(0, 3))).toBe('pending');
  expect(verdict(all.slice(0, 2))).toBe('ignored');
  expect(verdict(all.slice(0, 1))).toBe('auto_approved');
  expect(verdict([...all, rule({ matchSigner, priority: 4 })])).toBe('auto_approved');
});

test('signers are exact, users and groups are not case-sensitive but whole', () => {
  expect(verdict([rule({ matchSigner: 'mozilla corporation' })])).toBe('pending');
  expect(verdict([rule({ matchSigner: 'Mozilla Corporation ' })])).toBe('pending');
  expect(verdict([rule({ matchUser: 'ACME\\Sarah' })])).toBe('auto_approved');
  expect(verdict([rule({ matchUser: 'sarah' })])).toBe('pending');
  expect(verdict([rule({ matchAdGroup: 'helpdesk' })], { groups: ['HelpDesk'] })).toBe('auto_approved');
});

test('a path decides in whatever spelling; one that is not resolved leaves it to a person', () => {
  const rules = [
    rule({ matchPathGlob: 'C:\\Tools\\*', verdict: 'auto_deny' }),
    rule({ matchUser: 'acme\\sarah', priority: 200 }),
  ];
  expect(verdict(rules)).toBe('auto_approved');
  for (const path of [
    'c:/TOOLS/x.exe',
    'C:\\Windows\\..\\Tools\\x.exe',
    '\\\\?\\C:\\tools\\x.exe',
    'C:\\Tools\\x.exe. .',
    'C:\\Tools.\\x.exe::$DATA',
  ])
    expect(verdict(rules, { path })).toBe('denied');
  for (const path of [
    'C:\\TOOLS~1\\x.exe',
    'C:\\x.exe:a',
    'C:\\Tools\\x.exe\0',
    '\\\\localhost\\c$\\Tools\\x.exe',
    'C:\\\u202eexe.x',
    '',
  ])
    expect(verdict(rules, { path })).toBe('pending');
  expect(verdict([rule({ matchPathGlob: 'C:\\Tools\\*' })], { path: 'C:\\Tools\\..\\evil.exe' })).toBe(
    'pending',
  );
});

test('a missing fact leaves the request pending, and the trace names it', () => {
  const { hash: _hash, ...without } = facts;
  const set = compileRuleSet('1', [
    rule({ matchHash: HASHES[1]!, verdict: 'auto_deny' }),
    rule({ matchUser: 'acme\\sarah', priority: 200 }),
  ]);
  expect(evaluate(set, facts).verdict).toBe('auto_approved');
  for (const unknown of [
    without,
    { ...facts, hash: null },
    { ...facts, hash: 'md5:1' },
    { ...facts, hash: 7 as never },
  ]) {
    const found = evaluate(set, unknown);
    expect([found.verdict, found.because, found.source, found.decidingRule]).toEqual([
      'pending',
      'not_known',
      null,
      null,
    ]);
    expect(found.trace.steps.at(-1)).toMatchObject({ outcome: 'not_known', field: 'matchHash' });
  }
  // An unsigned file has no signer: that is known.
  expect(
    verdict(
      [
        rule({ matchSigner: 'Contoso', verdict: 'auto_deny' }),
        rule({ matchUser: 'acme\\sarah', priority: 200 }),
      ],
      { signer: null },
    ),
  ).toBe('auto_approved');
});

test('one broken rule at any place keeps the whole set from deciding', () => {
  const good = rule({ matchUser: 'acme\\sarah', priority: 1 });
  const corrupt: unknown[] = [
    { ...good, priority: 'first' },
    { ...good, matchUser: null },
    { ...good, matchRiskTier: 1, matchHash: HASHES[0] },
    { ...good, timeWindow: { start: '09:00', end: '10:00', timezone: 'Mars/Olympus' } },
    { ...good, verdict: 'approve' },
    { ...good, authorIds: undefined },
    { ...good, name: () => 'not data' },
    {},
    null,
    'rule',
  ];
  for (const broken of corrupt) {
    for (const order of [
      [good, broken],
      [broken, good],
    ]) {
      const set = compileRuleSet('1', order as Rule[]);
      expect(set.broken).toHaveLength(1);
      expect(evaluate(set, facts)).toMatchObject({ verdict: 'pending', because: 'failed', source: null });
    }
  }
  expect(verdict([good, { ...good, verdict: 'approve' as never, enabled: false }])).toBe('auto_approved');
  const lists = compileRuleSet('1', [good], [{ id: 'e', name: 'e', list: 'deny', authorIds: [] }]);
  expect(evaluate(lists, facts).verdict).toBe('pending');
});

test('a question that throws, and facts that are none, end as pending', () => {
  const windowed = compileRuleSet('1', [
    rule({
      matchUser: 'acme\\sarah',
      timeWindow: { start: '00:00', end: '23:59', timezone: 'Europe/Berlin' },
    }),
  ]);
  expect(evaluate(windowed, facts).verdict).toBe('auto_approved');
  const broken = vi.spyOn(Intl.DateTimeFormat.prototype, 'formatToParts').mockImplementation(() => {
    throw new Error('no zones today');
  });
  try {
    const found = evaluate(windowed, { ...facts, at: '2026-11-20T20:31:07Z' });
    expect(found).toMatchObject({ verdict: 'pending', because: 'failed' });
    expect(found.trace.steps.at(-1)).toMatchObject({
      outcome: 'failed',
      field: 'timeWindow',
      reason: 'no zones today',
    });
  } finally {
    broken.mockRestore();
  }
  expect(evaluate(windowed, { ...facts, at: 'yesterday' })).toMatchObject({
    verdict: 'pending',
    because: 'not_known',
  });
  for (const none of [null, undefined, {}, { kind: 'other' }, { kind: 'elevation' }, 7, 'x', []])
    expect(evaluate(windowed, none as unknown as Facts)).toMatchObject({
      verdict: 'pending',
      because: 'failed',
    });
});

test('the lists of known software go first, deny before allow, and decide prompts alone', () => {
  const rules = [rule({ matchUser: 'acme\\sarah', verdict: 'auto_deny' })];
  const entry = (list: 'allow' | 'deny', fields: object) => ({
    id: list,
    name: list,
    list,
    authorIds: [],
    ...fields,
  });
  const allow = entry('allow', { matchSigner: 'Mozilla Corporation' });
  const deny = entry('deny', { matchHash: HASHES[0]! });
  const allowed = evaluate(compileRuleSet('1', rules, [allow]), facts);
  expect(allowed).toMatchObject({
    verdict: 'auto_approved',
    source: 'software_policy',
    decidingRule: { id: 'allow' },
  });
  expect(evaluate(compileRuleSet('1', rules, [allow, deny]), facts)).toMatchObject({
    verdict: 'denied',
    source: 'software_policy',
  });
  const technician: Facts = {
    ...facts,
    flowType: 'tech_jit_admin',
    path: null,
    hash: null,
    signer: null,
    parentImage: null,
  };
  expect(evaluate(compileRuleSet('1', rules, [allow, deny]), technician)).toMatchObject({
    verdict: 'denied',
    source: 'pam_rule',
  });
});

test('an approval of a tool holds for one action, and is not given without its digest', () => {
  const set = compileRuleSet('1', [rule({ matchToolName: 'restart', matchRiskTier: 1 })]);
  expect(evaluate(set, tool)).toMatchObject({ verdict: 'auto_approved', actionDigest: HASHES[1] });
  expect(evaluate(set, { ...tool, actionDigest: null })).toMatchObject({
    verdict: 'pending',
    because: 'not_known',
  });
  expect(evaluate(set, { ...tool, riskTier: 2 })).toMatchObject({ verdict: 'pending', because: 'no_rule' });
  expect(
    evaluate(compileRuleSet('1', [rule({ matchUser: 'acme\\sarah', verdict: 'ignore' })]), tool).verdict,
  ).toBe('pending');
});

test('a rule does not approve its own author unless another user co-signed it', () => {
  const [author, other] = USERS as [string, string];
  const decided = (fields: Partial<Rule>, subjectUserId: string | null | undefined): string =>
    evaluate(compileRuleSet('1', [rule({ matchToolName: 'restart', authorIds: [author], ...fields })]), {
      ...tool,
      subjectUserId,
    }).because;
  expect(decided({}, author)).toBe('own_rule');
  expect(decided({}, author.toUpperCase())).toBe('own_rule');
  expect(decided({}, other)).toBe('rule');
  expect(decided({ coSignerIds: [other] }, author)).toBe('rule');
  expect(decided({ coSignerIds: [author] }, author)).toBe('own_rule');
  expect(decided({ authorIds: [other, author], coSignerIds: [other] }, author)).toBe('own_rule');
  expect(decided({}, null)).toBe('not_known');
  expect(decided({}, undefined)).toBe('not_known');
  expect(verdict([rule({ matchUser: 'acme\\sarah', authorIds: [author] })])).toBe('auto_approved');
  // The others who gain count like the subject.
  const others = [author, other];
  expect(verdict([rule({ matchUser: 'acme\\sarah', authorIds: [author] })], { otherUserIds: others })).toBe(
    'pending',
  );
});

test('a name without a user is never enough: no rule and no list approves it without a co-signer', () => {
  const [author, other, third] = USERS as [string, string, string];
  const unowned = { ...facts, subjectUserId: null };
  fc.assert(
    fc.property(ruleList, entryList, anyFacts, (rules, entries, asked) => {
      const unsigned = <T extends object>(list: readonly T[]) =>
        list.map((each) => ({ ...each, coSignerIds: [] }));
      const set = compileRuleSet('1', unsigned(rules), unsigned(entries));
      const nobodys = { ...asked, subjectUserId: null } as Facts;
      if (asked.kind === 'elevation') expect(evaluate(set, nobodys).verdict).not.toBe('auto_approved');
    }),
    { numRuns: 500 },
  );
  const because = (fields: Partial<Rule>) =>
    evaluate(compileRuleSet('1', [rule({ matchUser: 'acme\\sarah', ...fields })]), unowned).because;
  expect(because({})).toBe('unowned_name');
  expect(because({ authorIds: [author] })).toBe('unowned_name');
  expect(because({ authorIds: [author], coSignerIds: [author] })).toBe('unowned_name');
  expect(because({ authorIds: [author, other], coSignerIds: [third] })).toBe('rule');
  const entry = { id: 'e', name: 'e', list: 'allow' as const, matchHash: HASHES[0]!, authorIds: [author] };
  const listed = (coSignerIds: string[]) =>
    evaluate(compileRuleSet('1', [], [{ ...entry, coSignerIds }]), unowned).because;
  expect(listed([])).toBe('unowned_name');
  expect(listed([other])).toBe('software_list');
});

test('no rule approves a prompt on a device that one of its authors uses, unless somebody else co-signed it', () => {
  const [author, other, third] = USERS as [string, string, string];
  const because = (fields: Partial<Rule>, deviceUserIds: string[] | null) =>
    evaluate(compileRuleSet('1', [rule({ matchUser: 'acme\\sarah', authorIds: [author], ...fields })]), {
      ...facts,
      subjectUserId: other,
      deviceUserIds,
    }).because;
  expect(because({}, [])).toBe('rule');
  expect(because({}, [third])).toBe('rule');
  expect(because({}, [third, author.toUpperCase()])).toBe('own_device');
  expect(because({}, null)).toBe('not_known');
  expect(because({ authorIds: [] }, null)).toBe('rule');
  expect(because({ coSignerIds: [third] }, [author])).toBe('rule');
  // Who signs and uses the device gains from it as well.
  expect(because({ coSignerIds: [third] }, [author, third])).toBe('own_device');
});

test('H-197 a rule set is a value: what happens to the rules afterwards does not reach it', () => {
  const mine = { ...rule({ matchSigner: 'Mozilla Corporation' }) };
  const set = compileRuleSet('1', [mine]);
  Object.assign(mine, { verdict: 'auto_deny', enabled: false });
  expect(evaluate(set, facts).verdict).toBe('auto_approved');
  expect(() => Object.assign(set.rules[0]!, { verdict: 'auto_deny' })).toThrow(TypeError);
  expect(evaluate(set, facts).ruleSetVersion).toBe('1');
});

test('ten thousand rules are asked no more than ten: the index leaves out what fails for certain', () => {
  const hash = (n: number): string => n.toString(16).padStart(64, '0');
  const asked = (count: number): number => {
    const rules = Array.from({ length: count }, (_, n) =>
      n % 3 === 0
        ? rule({ matchHash: hash(n), matchSigner: 'Mozilla Corporation' })
        : n % 3 === 1
          ? rule({ matchPathGlob: `C:\\Apps\\app${n}\\*.exe`, verdict: 'auto_deny' })
          : rule({ matchSigner: `Vendor ${n}`, matchUser: 'acme\\sarah' }),
    );
    const last = rule({ matchSigner: 'Mozilla Corporation', priority: 999 });
    const { trace, decidingRule } = evaluate(compileRuleSet('1', [...rules, last]), facts);
    expect(decidingRule?.id).toBe(last.id);
    return trace.steps.length + trace.omitted;
  };
  expect(asked(10)).toBe(1);
  expect(asked(10_000)).toBe(1);
});

test('H-194 thousands of patterns that cannot be looked up are asked only so long, and then a person decides', () => {
  const patterns = Array.from({ length: 2_000 }, (_, n) =>
    rule({ id: `p${n}`, matchPathGlob: `*${'q'.repeat(480)}${n}${'q'.repeat(7)}*` }),
  );
  const set = compileRuleSet('1', [...patterns, rule({ id: 'last', matchPathGlob: 'C:\\*', priority: 200 })]);
  const long = { ...facts, path: `C:\\${'q'.repeat(4_000)}.exe` };
  const effort = { steps: 0 };
  const found = evaluate(set, long, effort);
  expect(found).toMatchObject({ verdict: 'pending', because: 'failed' });
  expect(effort.steps).toBeLessThan(2_200_000);
  // The same again: the work is counted, not timed.
  expect(evaluate(set, long)).toEqual(found);
  const short = evaluate(set, { ...facts, path: 'C:\\Program Files\\Mozilla Firefox\\firefox.exe' });
  expect(short).toMatchObject({ verdict: 'auto_approved', decidingRule: { id: 'last' } });
});
