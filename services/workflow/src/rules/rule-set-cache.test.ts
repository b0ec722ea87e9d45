import { compileRuleSet, compileRuleSetGradually, type Rule } from '@claviger/evaluator';
import { expect, test } from 'vitest';
import { createRuleSetCache } from './rule-set-cache.ts';

const rules = (count: number): Rule[] =>
  Array.from({ length: count }, (_, n) => ({
    id: `r${n}`,
    name: `rule ${n}`,
    verdict: 'auto_deny',
    matchSigner: `signer ${n}`,
    authorIds: [],
  }));

test('concurrent callers share one load, and each version is loaded once', async () => {
  const cache = createRuleSetCache();
  let loads = 0;
  const load = (version: string) => () => {
    loads++;
    return compileRuleSetGradually(version, rules(300));
  };
  const many = await Promise.all(Array.from({ length: 200 }, () => cache.get('1', load('1'))));
  expect(new Set(many).size).toBe(1);
  expect(await cache.get('1', load('1'))).toBe(many[0]);
  expect(loads).toBe(1);
  await cache.get('2', load('2'));
  expect(loads).toBe(2);
});

test('the next caller repeats a failed load', async () => {
  const cache = createRuleSetCache();
  const failing = () => Promise.reject(new Error('away'));
  const both = await Promise.allSettled([cache.get('1', failing), cache.get('1', failing)]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect((await cache.get('1', async () => compileRuleSet('1', rules(1)))).rules).toHaveLength(1);
});

test('the least recently used set is dropped when the limit is exceeded', async () => {
  const cache = createRuleSetCache(25);
  let loads = 0;
  const get = (key: string, count = 10) =>
    cache.get(key, async () => {
      loads++;
      return compileRuleSet(key, rules(count));
    });
  await get('a');
  await get('b');
  await get('a');
  await get('c');
  expect(loads).toBe(3);
  await get('a');
  expect(loads).toBe(3);
  await get('b');
  expect(loads).toBe(4);
  await get('larger than all', 30);
  await get('larger than all', 30);
  expect(loads).toBe(6);
  await get('b');
  expect(loads).toBe(6);
});

test('after a restore a version is loaded again, even if a load was in progress', async () => {
  const cache = createRuleSetCache();
  const before = compileRuleSet('1', rules(1));
  await cache.get('kept', async () => before);
  const slow = Promise.withResolvers<typeof before>();
  const under = cache.get('loading', () => slow.promise);
  cache.clear();
  slow.resolve(before);
  expect(await under).toBe(before);
  for (const key of ['kept', 'loading'])
    expect((await cache.get(key, async () => compileRuleSet('1', rules(2)))).rules).toHaveLength(2);
});
