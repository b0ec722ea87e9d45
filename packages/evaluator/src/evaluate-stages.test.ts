import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluate, evaluateRules, evaluateSoftware } from './evaluate.ts';
import { compileRuleSet } from './rule-set.ts';
import { anyFacts, entryList, ruleList } from './test-arbitraries.ts';

test('the two stages, each with its own half of the rule set, answer what the whole answers', () => {
  fc.assert(
    fc.property(ruleList, entryList, anyFacts, (rules, entries, facts) => {
      const whole = evaluate(compileRuleSet('7', rules, entries), facts);
      const known = evaluateSoftware(compileRuleSet('7', [], entries), facts);
      const decided = known.evaluation ?? evaluateRules(compileRuleSet('7', rules), facts, known.steps);
      expect(decided).toEqual(whole);
    }),
    { numRuns: 500 },
  );
});

test('facts that no stage can read wait for a person, whichever is asked', () => {
  const set = compileRuleSet('7', []);
  for (const facts of [undefined, null, 7, {}, { kind: 'elevation', flowType: 'x' }]) {
    const { evaluation, steps } = evaluateSoftware(set, facts as never);
    expect(evaluation ?? evaluateRules(set, facts as never, steps)).toMatchObject({
      verdict: 'pending',
      because: 'failed',
    });
  }
});
