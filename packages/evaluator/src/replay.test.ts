import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluate } from './evaluate.ts';
import { replay, type StoredDecision } from './replay.ts';
import { compileRuleSet } from './rule-set.ts';
import { anyFacts, entryList, ruleList } from './test-arbitraries.ts';
import { oracle } from './test-oracle.ts';

const history = fc.array(anyFacts, { minLength: 1, maxLength: 30 });

test('against its own rule set every stored decision comes out again, by the same rule', async () => {
  await fc.assert(
    fc.asyncProperty(ruleList, entryList, history, async (rules, entries, facts) => {
      const set = compileRuleSet('1', rules, entries);
      const stored = facts.map((each, n): StoredDecision => {
        const { verdict, decidingRule } = evaluate(set, each);
        return { id: `${n}`, facts: each, verdict, decidingRuleId: decidingRule?.id ?? null };
      });
      const report = await replay(
        compileRuleSet('1', [...rules].reverse(), entries),
        JSON.parse(JSON.stringify(stored)),
      );
      expect(report).toMatchObject({
        total: facts.length,
        unchanged: facts.length,
        changed: 0,
        otherRule: 0,
        changes: [],
      });
    }),
    { numRuns: 150 },
  );
});

test('against another rule set the changes are those that the oracle finds', async () => {
  await fc.assert(
    fc.asyncProperty(ruleList, entryList, ruleList, history, async (rules, entries, others, facts) => {
      const stored = facts.map((each, n): StoredDecision => {
        const [verdict, decidingRuleId] = oracle(rules, entries, each);
        return { id: `${n}`, facts: each, verdict, decidingRuleId };
      });
      const expected = stored.flatMap(({ id, facts: each, verdict }) => {
        const [to, ruleId] = oracle(others, entries, each);
        return to === verdict ? [] : [{ id, from: verdict, to, ruleId }];
      });
      const report = await replay(compileRuleSet('2', others, entries), stored, { samples: 100 });
      const found = report.changes.flatMap(({ samples }) =>
        samples.map(({ id, from, to, newRule }) => ({ id, from, to, ruleId: newRule?.id ?? null })),
      );
      const byId = (a: { id: string }, b: { id: string }): number => Number(a.id) - Number(b.id);
      expect(found.sort(byId)).toEqual(expected);
      expect([report.total, report.changed, report.unchanged]).toEqual([
        facts.length,
        expected.length,
        facts.length - expected.length,
      ]);
      for (const group of report.changes) expect(group.count).toBe(group.samples.length);
    }),
    { numRuns: 200 },
  );
});

test('changes are counted whole and named in part, from a stream', async () => {
  const set = compileRuleSet('2', [
    { id: 'no', name: 'nobody', verdict: 'auto_deny', matchUser: 'acme\\sarah', authorIds: [] },
  ]);
  async function* stored(): AsyncGenerator<StoredDecision> {
    for (let n = 0; n < 2_500; n++) {
      const username = n % 5 === 0 ? 'acme\\sarah' : 'acme\\bob';
      const facts = {
        kind: 'elevation',
        flowType: 'uac_intercept',
        at: '2026-11-20T08:30:00Z',
        username,
      } as const;
      yield { id: `${n}`, facts, verdict: 'pending', decidingRuleId: null, label: `${username} #${n}` };
    }
  }
  const report = await replay(set, stored(), { samples: 2 });
  expect(report).toEqual({
    ruleSetVersion: '2',
    total: 2_500,
    unchanged: 2_000,
    changed: 500,
    otherRule: 0,
    unresolved: 0,
    changes: [
      {
        from: 'pending',
        to: 'denied',
        count: 500,
        samples: [0, 5].map((n) => ({
          id: `${n}`,
          label: `acme\\sarah #${n}`,
          kind: 'elevation',
          decidedAt: null,
          from: 'pending',
          to: 'denied',
          because: 'rule',
          oldRuleId: null,
          newRule: { id: 'no', name: 'nobody' },
        })),
      },
    ],
  });
});

test('stored facts that are none are counted, and break nothing', async () => {
  const stored = [null, 7, {}, { kind: 'elevation' }].map((facts, n) => ({
    id: `${n}`,
    facts: facts as never,
    verdict: 'pending' as const,
  }));
  expect(await replay(compileRuleSet('1', []), stored)).toMatchObject({
    total: 4,
    unchanged: 4,
    unresolved: 4,
  });
});
