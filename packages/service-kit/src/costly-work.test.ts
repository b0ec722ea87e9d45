import { expect, test } from 'vitest';
import { createCostlyWork, joinKey } from './costly-work.ts';

const limits = { perTenant: 1, atOnce: 2, waiting: 3 };
const noRest = () => ({ rest: async () => {} });

/** Work that ends on command and reports its start. */
function bench() {
  const began: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => async () => {
    began.push(name);
    await new Promise<void>((resolve) => ends.set(name, resolve));
    return name;
  };
  return { began, work, end: (name: string) => ends.get(name)!() };
}
const call = (tenantId: string, more: object = {}) => ({
  tenantId,
  signal: new AbortController().signal,
  ...more,
});
/** Lets all queued work start that may start now. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

test('operations of one tenant run one after the other and do not delay another tenant', async () => {
  const costly = createCostlyWork(limits, noRest);
  const { began, work, end } = bench();
  const all = ['a1', 'a2', 'a3', 'b1', 'c1'].map((name) => costly.run(call(name[0]!), work(name)));
  await settle();
  // Two at once over all tenants: one of each.
  expect(began).toEqual(['a1', 'b1']);
  end('b1');
  await settle();
  expect(began).toEqual(['a1', 'b1', 'c1']);
  end('a1');
  await settle();
  expect(began).toEqual(['a1', 'b1', 'c1', 'a2']);
  for (const name of ['c1', 'a2']) end(name);
  await settle();
  end('a3');
  expect(await Promise.all(all)).toEqual(['a1', 'a2', 'a3', 'b1', 'c1']);
});

test('tenants take turns, however many calls one of them queued first', async () => {
  const costly = createCostlyWork({ ...limits, atOnce: 1 }, noRest);
  const { began, work, end } = bench();
  const all = ['a1', 'a2', 'a3', 'b1', 'c1'].map((name) => costly.run(call(name[0]!), work(name)));
  for (let n = 0; n < 5; n += 1) {
    await settle();
    end(began.at(-1)!);
  }
  await Promise.all(all);
  expect(
    began
      .slice(0, 4)
      .map((name) => name[0])
      .toSorted(),
  ).toEqual(['a', 'a', 'b', 'c']);
});

test('the queue is bounded: a further call is refused with a retry time', async () => {
  const costly = createCostlyWork(limits, noRest);
  const { work, end, began } = bench();
  const all = [1, 2, 3, 4].map((n) => costly.run(call('a'), work(`a${n}`)));
  await settle();
  await expect(costly.run(call('a'), work('a5'))).rejects.toMatchObject({
    reason: 'rate_limited',
    code: 'too_many_costly',
    retryAfterSeconds: 10,
  });
  for (let n = 1; n <= 4; n += 1) {
    end(`a${n}`);
    await settle();
  }
  await Promise.all(all);
  expect(began).toEqual(['a1', 'a2', 'a3', 'a4']);
});

test('a cancelled call leaves the queue; a running one always releases its slot', async () => {
  const costly = createCostlyWork(limits, noRest);
  const { began, work, end } = bench();
  const first = costly.run(call('a'), work('a1'));
  const leaver = new AbortController();
  const left = costly.run(call('a', { signal: leaver.signal }), work('a2'));
  const failing = costly.run(call('a'), async () => {
    throw new Error('it fails');
  });
  leaver.abort();
  await expect(left).rejects.toMatchObject({ reason: 'deadline_exceeded' });
  end('a1');
  await first;
  await expect(failing).rejects.toThrow('it fails');
  const last = costly.run(call('a'), work('a4'));
  await settle();
  end('a4');
  await last;
  expect(began).toEqual(['a1', 'a4']);
});

test('a stream that waits for its reader delays only its own tenant', async () => {
  const costly = createCostlyWork(limits, noRest);
  const { began, work, end } = bench();
  const all = ['a1', 'b1', 'c1', 'd1'].map((name) =>
    costly.run(call(name[0]!, { stream: name !== 'd1' }), work(name)),
  );
  await settle();
  expect(began).toEqual(['a1', 'b1', 'c1', 'd1']);
  for (const name of began) end(name);
  await Promise.all(all);
});

test('a slot stays empty during its rest, which delays no answer', async () => {
  const rest = Promise.withResolvers<void>();
  const costly = createCostlyWork(limits, () => ({ rest: () => rest.promise }));
  const { began, work, end } = bench();
  const first = costly.run(call('a'), work('a1'));
  const second = costly.run(call('a'), work('a2'));
  await settle();
  end('a1');
  expect(await first).toBe('a1');
  await settle();
  expect(began).toEqual(['a1']);
  rest.resolve();
  await settle();
  expect(began).toEqual(['a1', 'a2']);
  end('a2');
  await second;
});

test('a stream rests between its messages but not at its end', async () => {
  const costly = createCostlyWork(limits, () => ({ rest: () => new Promise(() => {}) }));
  const { began, work, end } = bench();
  const first = costly.run(call('a', { stream: true }), work('a1'));
  const second = costly.run(call('a'), work('a2'));
  await settle();
  end('a1');
  await first;
  await settle();
  expect(began).toEqual(['a1', 'a2']);
  end('a2');
  await second;
});

test('identical calls share an answer but not a failure', async () => {
  const costly = createCostlyWork(limits, noRest);
  const { began, work, end } = bench();
  const same = [1, 2, 3].map(() => costly.join(call('a'), 'key', work('once')));
  await settle();
  end('once');
  expect(await Promise.all(same)).toEqual(['once', 'once', 'once']);
  expect(began).toEqual(['once']);

  let runs = 0;
  const flaky = async () => {
    runs += 1;
    if (runs === 1) throw new Error('the first caller cancelled');
    return 'answer';
  };
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => costly.join(call('a'), 'flaky', flaky)));
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  expect(runs).toBe(2);
});

test('only the same request of the same session with the same permissions is identical', () => {
  const base = {
    tenantId: 't',
    userId: 'u',
    sessionId: 's',
    permissions: new Set(['a', 'b']),
    siteIds: undefined as string[] | undefined,
    path: '/x',
    request: Buffer.from('r'),
  };
  expect(joinKey({ ...base, permissions: new Set(['b', 'a']) })).toBe(joinKey(base));
  const others = [
    { tenantId: 'o' },
    { userId: 'o' },
    { sessionId: 'o' },
    { permissions: new Set(['a']) },
    { siteIds: [] },
    { path: '/o' },
    { request: Buffer.from('o') },
  ];
  const keys = others.map((other) => joinKey({ ...base, ...other }));
  expect(new Set([joinKey(base), ...keys]).size).toBe(others.length + 1);
});
