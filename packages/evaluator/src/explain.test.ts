import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluate } from './evaluate.ts';
import { explain } from './explain.ts';
import type { ElevationFacts, Facts } from './facts.ts';
import { nearestChange } from './nearest-change.ts';
import type { Rule } from './rule.ts';
import { compileRuleSet } from './rule-set.ts';
import { anyFacts, entryList, ruleList } from './test-arbitraries.ts';
import { oracle } from './test-oracle.ts';

const facts: ElevationFacts = {
  kind: 'elevation',
  flowType: 'uac_intercept',
  at: '2026-11-20T20:30:00Z',
  siteId: null,
  subjectUserId: '00000000-0000-4000-8000-000000000009',
  username: 'acme\\sarah',
  groups: ['Staff'],
  path: 'C:\\Users\\sarah\\Downloads\\FirefoxSetup.exe',
  hash: 'ab'.repeat(32),
  signer: 'Mozilla Corporation',
  parentImage: 'C:\\Windows\\explorer.exe',
};
const rule = (fields: Partial<Rule>): Rule => ({
  id: fields.name ?? 'r',
  name: 'r',
  verdict: 'auto_approve',
  authorIds: [],
  ...fields,
});
const told = (rules: readonly Rule[], asked: Facts = facts) => {
  const ruleSet = compileRuleSet('3', rules);
  return explain(evaluate(ruleSet, asked), asked, { mayReadRules: true, ruleSet });
};

describe('who may read rules', () => {
  test('gets the trace in words and the nearest change', () => {
    const rules = [
      rule({
        name: 'office hours',
        matchSigner: 'Mozilla Corporation',
        timeWindow: { start: '08:00', end: '18:00' },
      }),
      rule({ name: 'nobody', verdict: 'auto_deny', matchUser: 'acme\\sarah', priority: 200 }),
    ];
    expect(told(rules)).toEqual({
      summary: 'Denied at once.',
      lines: [
        'Rule “office hours” (priority 100, auto_approve) did not match: timeWindow does not hold.',
        'Rule “nobody” (priority 200, auto_deny) matched.',
        'Decided by “nobody” of version 3.',
      ],
      nearest: {
        fact: 'at',
        was: facts.at,
        value: '2026-11-21T08:00:00.000Z',
        verdict: 'auto_approved',
        decidingRule: { id: 'office hours', name: 'office hours', priority: 100, verdict: 'auto_approve' },
        words:
          'If the time of the request had been 2026-11-21T08:00:00.000Z instead of 2026-11-20T20:30:00Z, the verdict would have been auto_approved by “office hours”.',
      },
    });
  });

  test.each<[string, Partial<Rule>, string]>([
    ['a group', { matchAdGroup: 'Helpdesk' }, 'groups'],
    ['a signer', { matchSigner: 'Contoso' }, 'signer'],
    ['a digest', { matchHash: 'cd'.repeat(32) }, 'hash'],
    ['a folder', { matchPathGlob: 'C:\\Tools\\*' }, 'path'],
    ['a file anywhere', { matchPathGlob: '*\\setup.ex?' }, 'path'],
    ['an exact file', { matchPathGlob: '\\\\srv\\share\\a.exe' }, 'path'],
    ['a parent', { matchParentImage: 'cmd.exe' }, 'parentImage'],
    ['a user', { matchUser: 'acme\\bob' }, 'username'],
  ])('the missing fact is found: %s', (_what, fields, fact) => {
    expect(told([rule(fields)]).nearest).toMatchObject({ fact, verdict: 'auto_approved' });
  });

  test('an approval is explained by what would have stopped it, an unknown fact by its value', () => {
    expect(told([rule({ matchSigner: 'Mozilla Corporation' })]).nearest).toMatchObject({
      fact: 'signer',
      value: null,
      verdict: 'pending',
    });
    const { hash: _hash, ...without } = facts;
    const unknown = told([rule({ matchHash: 'ab'.repeat(32) })], without);
    expect(unknown.nearest).toMatchObject({ fact: 'hash', was: undefined, verdict: 'auto_approved' });
    expect(unknown.lines[0]).toContain('hash is not known');
    expect(told([]).nearest).toBeNull();
  });

  test('another version of the rules explains nothing', () => {
    const result = evaluate(compileRuleSet('1', [rule({ matchSigner: 'Contoso' })]), facts);
    const ruleSet = compileRuleSet('2', [rule({ matchSigner: 'Contoso' })]);
    expect(explain(result, facts, { mayReadRules: true, ruleSet }).nearest).toBeNull();
  });
});

test('the nearest change is one fact and gives the reported verdict, also by the oracle', () => {
  fc.assert(
    fc.property(ruleList, entryList, anyFacts, (rules, entries, asked) => {
      const ruleSet = compileRuleSet('1', rules, entries);
      const { verdict } = evaluate(ruleSet, asked);
      const change = nearestChange(ruleSet, asked, verdict);
      if (!change) return;
      expect(change.verdict).not.toBe(verdict);
      const changed = { ...asked, [change.fact]: change.value } as Facts;
      expect(evaluate(ruleSet, changed).verdict).toBe(change.verdict);
      if (change.fact !== 'path' && change.fact !== 'parentImage')
        expect(oracle(rules, entries, changed)[0]).toBe(change.verdict);
    }),
    { numRuns: 600 },
  );
});

test('where another value of one fact would change the verdict, a change is found', () => {
  // The two sets differ in one fact, which the search must find.
  fc.assert(
    fc.property(ruleList, anyFacts, anyFacts, (rules, asked, other) => {
      const ruleSet = compileRuleSet('1', rules);
      const { verdict } = evaluate(ruleSet, asked);
      const mixed = ['signer', 'hash', 'username', 'groups', 'toolName', 'riskTier', 'siteId'].some(
        (fact) => {
          const value = (other as unknown as Record<string, unknown>)[fact];
          return (
            value !== undefined &&
            value !== null &&
            fact in asked &&
            evaluate(ruleSet, { ...asked, [fact]: value } as Facts).verdict !== verdict
          );
        },
      );
      if (mixed) expect(nearestChange(ruleSet, asked, verdict)).toBeDefined();
    }),
    { numRuns: 600 },
  );
});

test('without permission to read rules, the explanation depends on verdict and reason only', () => {
  const tellings = new Map<string, string>();
  fc.assert(
    fc.property(ruleList, entryList, anyFacts, (rules, entries, asked) => {
      const ruleSet = compileRuleSet('secret-version', rules, entries);
      const result = evaluate(ruleSet, asked);
      const words = JSON.stringify(explain(result, asked, { mayReadRules: false, ruleSet }));
      const key = `${result.verdict} ${result.because}`;
      expect(tellings.get(key) ?? words).toBe(words);
      tellings.set(key, words);
    }),
    { numRuns: 800 },
  );
  for (const words of tellings.values()) {
    expect(words).toContain('"lines":[],"nearest":null');
    expect(words).not.toMatch(/rule|entry|priority|match|version|secret/i);
  }
  const pending = [...tellings].filter(([key]) => key.startsWith('pending')).map(([, words]) => words);
  expect(new Set(pending).size).toBe(1);
});

test('rules that may not be named are not revealed, not even through the values of another rule', () => {
  const secret = 'd'.repeat(64);
  const rules: Rule[] = [
    { id: 'here', name: 'here', verdict: 'auto_deny', matchPathGlob: 'C:\\Users\\*', authorIds: [] },
    {
      id: 'there',
      name: 'of another site',
      verdict: 'auto_approve',
      priority: 1,
      siteId: '11111111-1111-4111-8111-111111111111',
      matchHash: secret,
      matchPathGlob: 'D:\\Secret Project\\*',
      authorIds: [],
    },
  ];
  const ruleSet = compileRuleSet('1', rules);
  const asked: Facts = {
    kind: 'elevation',
    flowType: 'uac_intercept',
    at: '2026-11-20T20:30:00Z',
    siteId: null,
    subjectUserId: null,
    username: 'acme\\sarah',
    groups: [],
    path: 'C:\\Users\\sarah\\setup.exe',
    hash: secret,
    signer: null,
    parentImage: 'C:\\Windows\\explorer.exe',
  };
  const result = evaluate(ruleSet, asked);
  const whole = JSON.stringify(explain(result, asked, { mayReadRules: true, ruleSet }));
  expect(whole).toMatch(/Secret Project|SECRET PROJECT|of another site/);
  const mayName = (id: string) => id !== 'there';
  const told = explain(result, asked, { mayReadRules: true, ruleSet, mayName });
  expect(JSON.stringify(told)).not.toMatch(/secret project|of another site|11111111/i);
  expect(told.lines.at(-1)).toContain('here');
  expect(told.nearest).not.toBeNull();
});
