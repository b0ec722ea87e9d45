import { expect, test, vi } from 'vitest';
import { evaluate } from './evaluate.ts';
import { explainGradually } from './explain.ts';
import type { Facts } from './facts.ts';
import { lintOrder } from './lint-order.ts';
import { finish, gradually, type Work } from './pace.ts';
import type { Rule } from './rule.ts';
import { compileRuleSet, compileRuleSetGradually } from './rule-set.ts';

const rules = Array.from(
  { length: 400 },
  (_, n): Rule => ({
    id: `r${n}`,
    name: `rule ${n}`,
    verdict: n % 2 ? 'auto_approve' : 'auto_deny',
    matchPathGlob: `*folder ${n}*`,
    matchUser: n % 3 ? 'acme\\sarah' : null,
    authorIds: [],
  }),
);
const facts: Facts = {
  kind: 'elevation',
  flowType: 'uac_intercept',
  at: '2026-11-20T20:30:00Z',
  siteId: null,
  subjectUserId: null,
  username: 'acme\\sarah',
  groups: [],
  path: 'C:\\folder 7\\setup.exe',
  hash: 'a'.repeat(64),
  signer: null,
  parentImage: 'C:\\Windows\\explorer.exe',
};

/** A clock that advances by a millisecond at each reading, and the number of yields. */
async function withTurns<T>(work: () => Promise<T>): Promise<{ result: T; turns: number }> {
  let [now, turns, over] = [0, 0, false];
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now++);
  const others = (): void => {
    turns++;
    if (!over) setImmediate(others);
  };
  setImmediate(others);
  try {
    const result = await work();
    return { result, turns };
  } finally {
    over = true;
    clock.mockRestore();
  }
}

test('long work leaves others their turn, and comes to the same', async () => {
  const whole = compileRuleSet('1', rules);
  const compiled = await withTurns(() => compileRuleSetGradually('1', rules));
  expect(compiled.turns).toBeGreaterThan(100);
  expect(evaluate(compiled.result, facts)).toEqual(evaluate(whole, facts));
  const explained = await withTurns(() =>
    explainGradually(evaluate(whole, facts), facts, { mayReadRules: true, ruleSet: whole }),
  );
  expect(explained.turns).toBeGreaterThan(10);
  expect(explained.result.nearest).not.toBeNull();
});

test('an error during the work rejects all who wait', async () => {
  function* failing(): Work<never> {
    yield;
    throw new RangeError('no further');
  }
  await expect(gradually(failing())).rejects.toThrow('no further');
  expect(() => finish(failing())).toThrow('no further');
});

test('an examination that would take minutes ends early and reports it', () => {
  const set = compileRuleSet('1', rules);
  const [last] = lintOrder(set, 500).slice(-1);
  expect(last).toMatchObject({ code: 'not_all_examined', severity: 'note', ruleId: null });
  expect(lintOrder(set).map(({ code }) => code)).not.toContain('not_all_examined');
});
