import {
  compileRuleSet,
  type Facts,
  forTests,
  lint,
  type PastRequest,
  preview,
  type Rule,
  replay,
  type SoftwareEntry,
  type StoredDecision,
} from '@claviger/evaluator';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEvaluationPool, type EvaluationJob, type EvaluationLimits } from './evaluation-pool.ts';

const { anyFacts, entryList, ruleList } = await forTests();

const FAR = new Date(Date.now() + 600_000);
const AT = '2026-11-20T10:00:00Z';
const limits = (more: Partial<EvaluationLimits> = {}): EvaluationLimits => ({
  call: { signal: new AbortController().signal, deadline: FAR },
  maxMs: 600_000,
  ...more,
});
const options = { samples: 20, maxDecisions: 1_000_000 };
const contentOf = (rules: readonly Rule[], softwareEntries: readonly SoftwareEntry[] = []) => ({
  version: '7',
  rules,
  softwareEntries,
});
const some = (count: number): Facts[] => fc.sample(anyFacts, { numRuns: count, seed: 20_261_130 });
const decided = (facts: readonly Facts[]): StoredDecision[] =>
  facts.map((each, n) => ({ id: `d${n}`, facts: each, verdict: 'pending', decidingRuleId: null }));

async function* pagesOf<T>(items: readonly T[], perPage: number): AsyncGenerator<T[]> {
  for (let at = 0; at < items.length; at += perPage) yield items.slice(at, at + perPage);
}

const globs = (count: number): Rule[] =>
  Array.from({ length: count }, (_, n) => ({
    id: `r${n}`,
    name: `rule ${n}`,
    verdict: n % 2 ? 'auto_approve' : 'auto_deny',
    matchPathGlob: `*folder ${n}*`,
    authorIds: [],
  }));
const small: EvaluationJob<'replay'> = { kind: 'replay', options, ruleSet: contentOf(globs(2)) };

test('a thread gives the same result as the evaluator in the process', async () => {
  await using pool = createEvaluationPool();
  const facts = some(1_200);
  await fc.assert(
    fc.asyncProperty(ruleList, entryList, async (rules, entries) => {
      const set = compileRuleSet('7', rules, entries);
      const ruleSet = contentOf(rules, entries);
      const decisions = decided(facts);
      expect(
        await pool.run({ kind: 'replay', options, ruleSet, pages: pagesOf(decisions, 700) }, limits()),
      ).toEqual({ ...(await replay(set, decisions)), truncated: false });
      expect(await pool.run({ kind: 'lint', options: { at: AT }, ruleSet }, limits())).toEqual(
        lint(set, { at: AT }),
      );
    }),
    { numRuns: 20, seed: 20_261_130 },
  );
  const requests = facts.map(
    (each, n): PastRequest => ({
      id: `p${n}`,
      requestedAt: AT,
      flowType: 'uac_intercept',
      status: 'pending',
      facts: each,
    }),
  );
  const draft = { matchPathGlob: '*' };
  const how = { at: AT, maxScanned: 1_000 };
  const seen = await pool.run(
    {
      kind: 'preview',
      options: { draft, windowDays: 30, preview: how },
      pages: pagesOf(requests, 300),
    },
    limits(),
  );
  expect(seen).toEqual(preview(draft, requests, 30, how));
  expect(seen).toMatchObject({ totalScanned: 1_000, truncated: true });
});

test('the event loop keeps running while a hundred thousand decisions are replayed', async () => {
  await using pool = createEvaluationPool();
  const different = decided(some(200));
  const decisions = Array.from({ length: 100_000 }, (_, n) => different[n % 200]!);
  let [turns, isOver] = [0, false];
  const probe = (): void => {
    turns++;
    if (!isOver) setImmediate(probe);
  };
  setImmediate(probe);
  const ruleSet = contentOf(globs(100));
  const pages = pagesOf(decisions, 2_000);
  const report = await pool.run({ kind: 'replay', options, ruleSet, pages }, limits());
  isOver = true;
  expect(report.total).toBe(100_000);
  // In the process, the event loop would run no turns, or one every eight milliseconds if the replay paused.
  // With a thread it runs more than ten turns for each message.
  expect(turns).toBeGreaterThan(10 * (100_000 / 500));
});

test('a thread stops accepting items at its limit or after its time, and reports it', async () => {
  await using pool = createEvaluationPool();
  const decisions = decided(some(1_100));
  const run = (maxDecisions: number, maxMs: number) =>
    pool.run(
      { ...small, options: { samples: 0, maxDecisions }, pages: pagesOf(decisions, 400) },
      limits({ maxMs }),
    );
  expect(await run(1_100, 600_000)).toMatchObject({ total: 1_100, truncated: false });
  expect(await run(1_099, 600_000)).toMatchObject({ total: 1_099, truncated: true });
  expect(await run(1_100, -1)).toMatchObject({ total: 0, truncated: true });
  const late = { signal: new AbortController().signal, deadline: new Date(Date.now() + 1_000) };
  const pages = pagesOf<StoredDecision>([], 1);
  expect(await pool.run({ ...small, pages }, limits({ call: late }))).toMatchObject({ total: 0 });
  async function* empty(): AsyncGenerator<StoredDecision[]> {
    yield [];
  }
  expect(await pool.run({ ...small, pages: empty() }, limits({ maxMs: -1 }))).toMatchObject({
    truncated: true,
  });
});

describe('a terminated thread returns its error, and the next job runs', () => {
  test('when its call is cancelled', async () => {
    await using pool = createEvaluationPool();
    const caller = new AbortController();
    async function* givenUp(): AsyncGenerator<StoredDecision[]> {
      yield decided(some(10));
      caller.abort();
      yield decided(some(10));
    }
    const call = { signal: caller.signal, deadline: FAR };
    await expect(pool.run({ ...small, pages: givenUp() }, limits({ call }))).rejects.toMatchObject({
      reason: 'deadline_exceeded',
    });
    expect(pool.state().idle).toBe(0);
    expect(await pool.run(small, limits())).toMatchObject({ total: 0 });
    await expect(pool.run(small, limits({ call }))).rejects.toMatchObject({ reason: 'deadline_exceeded' });
  });

  test('when it does not answer in time', async () => {
    // Starting the thread takes longer than this.
    await using pool = createEvaluationPool({ graceMs: 1 });
    await expect(pool.run(small, limits({ maxMs: 0 }))).rejects.toMatchObject({
      reason: 'deadline_exceeded',
    });
    expect(await pool.run(small, limits())).toMatchObject({ total: 0 });
  });

  test('when it needs too much memory', async () => {
    await using pool = createEvaluationPool({ memoryMb: 48 });
    const ruleSet = contentOf(globs(60_000));
    await expect(pool.run({ kind: 'replay', options, ruleSet }, limits())).rejects.toMatchObject({
      reason: 'payload_too_large',
    });
    expect(await pool.run(small, limits())).toMatchObject({ total: 0 });
  });

  test('when its work or its history fails', async () => {
    await using pool = createEvaluationPool();
    const invalid = { draft: { matchHash: 'x' }, windowDays: 30, preview: { at: AT } };
    await expect(pool.run({ kind: 'preview', options: invalid }, limits())).rejects.toThrow(
      'The draft is not valid',
    );
    // biome-ignore lint/correctness/useYield: it fails before its first page.
    async function* failing(): AsyncGenerator<StoredDecision[]> {
      throw new RangeError('no history');
    }
    await expect(pool.run({ ...small, pages: failing() }, limits())).rejects.toThrow('no history');
    expect(await pool.run(small, limits())).toMatchObject({ total: 0 });
  });
});

test('jobs without a free thread wait in a queue with a limit, and leave it when their call is cancelled', async () => {
  const pool = createEvaluationPool({ maxWorkers: 1, maxWaiting: 1 });
  const gate = Promise.withResolvers<void>();
  async function* slow(): AsyncGenerator<StoredDecision[]> {
    await gate.promise;
    yield decided(some(3));
  }
  const first = pool.run({ ...small, pages: slow() }, limits());
  const caller = new AbortController();
  const call = { signal: caller.signal, deadline: FAR };
  const second = pool.run(small, limits({ call }));
  expect(pool.state()).toEqual({ busy: 1, idle: 0, waiting: 1 });
  await expect(pool.run(small, limits())).rejects.toMatchObject({ reason: 'rate_limited' });
  caller.abort();
  await expect(second).rejects.toMatchObject({ reason: 'deadline_exceeded' });
  const third = pool.run(small, limits());
  gate.resolve();
  expect(await first).toMatchObject({ total: 3 });
  expect(await third).toMatchObject({ total: 0 });
  expect(pool.state()).toEqual({ busy: 0, idle: 1, waiting: 0 });
  const closed = Promise.withResolvers<void>();
  async function* untilClosed(): AsyncGenerator<StoredDecision[]> {
    await closed.promise;
    yield [];
  }
  const running = pool.run({ ...small, pages: untilClosed() }, limits());
  const waiting = pool.run(small, limits());
  const outcomes = Promise.allSettled([running, waiting]);
  await pool[Symbol.asyncDispose]();
  closed.resolve();
  expect(await outcomes).toMatchObject([1, 2].map(() => ({ reason: { reason: 'unavailable' } })));
  await expect(pool.run(small, limits())).rejects.toMatchObject({ reason: 'unavailable' });
});

test('one thread stays for the next job, and ends after the idle time', async () => {
  await using pool = createEvaluationPool({ idleMs: 50 });
  await Promise.all([pool.run(small, limits()), pool.run(small, limits())]);
  expect(pool.state().idle).toBe(1);
  await expect.poll(() => pool.state()).toEqual({ busy: 0, idle: 0, waiting: 0 });
});
