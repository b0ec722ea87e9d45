import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { Kek, KekDisposedError } from './kek.ts';
import { createKeyCache } from './key-cache.ts';

const MINUTE_MS = 60_000;

function counter() {
  let nowMs = 1_000;
  const opened: Kek[] = [];
  const open =
    (tenantId = 't-1', kekId = 'k-1') =>
    async (): Promise<Kek> => {
      const kek = new Kek({ tenantId, kekId, version: 1 }, randomBytes(32));
      opened.push(kek);
      return kek;
    };
  const advance = (ms: number): void => {
    nowMs += ms;
  };
  return { opened, open, advance, clock: () => nowMs, destroyedAmong: async (): Promise<string[]> => [] };
}

test('a KEK is opened once in fifteen minutes, then again', async () => {
  const { opened, open, advance, ...options } = counter();
  const cache = createKeyCache(options);
  const first = await cache.get('t-1', 'k-1', open());
  for (let i = 0; i < 29; i++) {
    advance(MINUTE_MS / 2);
    await cache.check();
  }
  advance(MINUTE_MS / 2 - 1);
  expect(await cache.get('t-1', 'k-1', open())).toBe(first);
  advance(1);
  expect(await cache.get('t-1', 'k-1', open())).not.toBe(first);
  expect(opened).toHaveLength(2);
  // It may still be in use.
  expect(() => first.key()).not.toThrow();
});

test('use does not extend the time for which a KEK is cached', async () => {
  const { opened, open, advance, ...options } = counter();
  const cache = createKeyCache({ maxAgeMs: 1000, ...options });
  for (let i = 0; i < 5; i++) {
    await cache.get('t-1', 'k-1', open());
    advance(400);
  }
  expect(opened).toHaveLength(2);
});

test('tenants and KEKs are not confused, whatever their ids contain', async () => {
  const { opened, open, advance: _, ...options } = counter();
  const cache = createKeyCache(options);
  for (const [tenantId, kekId] of [
    ['a', 'b'],
    ['a', 'c'],
    ['b', 'b'],
    ['a","b', 'c'],
    ['a', 'b","c'],
  ] as const)
    expect(await cache.get(tenantId, kekId, open(tenantId, kekId))).toMatchObject({ tenantId, kekId });
  expect(opened).toHaveLength(5);
});

test('concurrent callers share one opening', async () => {
  const { opened, open, advance: _, ...options } = counter();
  const cache = createKeyCache(options);
  const keks = await Promise.all(Array.from({ length: 20 }, () => cache.get('t-1', 'k-1', open())));
  expect(new Set(keks).size).toBe(1);
  expect(opened).toHaveLength(1);
});

test('a failure reaches every caller and is not cached', async () => {
  const { open, opened: _, advance: __, ...options } = counter();
  const cache = createKeyCache(options);
  const failing = async (): Promise<Kek> => {
    throw new Error('the provider is unavailable');
  };
  const both = [cache.get('t-1', 'k-1', failing), cache.get('t-1', 'k-1', failing)];
  for (const result of await Promise.allSettled(both)) expect(result.status).toBe('rejected');
  await expect(cache.get('t-1', 'k-1', open())).resolves.toBeInstanceOf(Kek);
});

test('a KEK other than the requested one is refused and not cached', async () => {
  const { opened, open, advance: _, ...options } = counter();
  const cache = createKeyCache(options);
  await expect(cache.get('t-1', 'k-1', open('t-2', 'k-1'))).rejects.toThrow(TypeError);
  expect(() => opened[0]!.key()).toThrow(KekDisposedError);
  await expect(cache.get('t-1', 'k-1', open())).resolves.toBeInstanceOf(Kek);
});

test('dropping disposes one KEK; clearing disposes all, including those being opened', async () => {
  const { opened, open, advance: _, ...options } = counter();
  const cache = createKeyCache(options);
  const dropped = await cache.get('t-1', 'k-1', open());
  const kept = await cache.get('t-1', 'k-2', open('t-1', 'k-2'));
  cache.drop('t-1', 'k-1');
  cache.drop('t-9', 'k-9');
  await Promise.resolve();
  expect(() => dropped.key()).toThrow(KekDisposedError);
  expect(() => kept.key()).not.toThrow();
  const opening = cache.get('t-1', 'k-3', open('t-1', 'k-3'));
  cache.clear();
  await opening;
  await Promise.resolve();
  for (const kek of opened) expect(() => kek.key()).toThrow(KekDisposedError);
  const again = await cache.get('t-1', 'k-3', open('t-1', 'k-3'));
  expect(() => again.key()).not.toThrow();
});

test('a check drops keys that are too old, without a call of get', async () => {
  const { opened, open, advance, ...options } = counter();
  const cache = createKeyCache({ maxAgeMs: 1000, ...options });
  await cache.get('t-1', 'k-1', open());
  advance(600);
  await cache.get('t-1', 'k-2', open('t-1', 'k-2'));
  advance(600);
  await cache.check();
  await cache.get('t-1', 'k-2', open('t-1', 'k-2'));
  expect(opened).toHaveLength(2);
  await cache.get('t-1', 'k-1', open());
  expect(opened).toHaveLength(3);
});

test('a KEK that was destroyed elsewhere is dropped and disposed by the next check', async () => {
  const { opened, open, advance: _, clock } = counter();
  const destroyed: string[] = [];
  const asked: string[][] = [];
  const destroyedAmong = async (tenantIds: readonly string[]): Promise<string[]> => {
    asked.push([...tenantIds]);
    return destroyed;
  };
  const cache = createKeyCache({ clock, destroyedAmong });
  await cache.check();
  await cache.get('t-1', 'k-1', open('t-1', 'k-1'));
  await cache.get('t-1', 'k-2', open('t-1', 'k-2'));
  const kept = await cache.get('t-2', 'k-1', open('t-2', 'k-1'));
  destroyed.push('t-1');
  await cache.check();
  expect(asked).toEqual([['t-1', 't-2']]);
  for (const kek of opened.filter(({ tenantId }) => tenantId === 't-1'))
    expect(() => kek.key()).toThrow(KekDisposedError);
  expect(await cache.get('t-2', 'k-1', open('t-2', 'k-1'))).toBe(kept);
  expect(() => kept.key()).not.toThrow();
});

test('no KEK is used or cached for longer than a minute without a check of its destruction', async () => {
  const { opened, open, advance, clock } = counter();
  let away = true;
  const destroyedAmong = async (): Promise<string[]> => {
    if (away) throw new Error('the database is unavailable');
    return [];
  };
  const cache = createKeyCache({ clock, destroyedAmong });
  await cache.get('t-1', 'k-1', open());
  advance(MINUTE_MS - 1);
  await cache.check();
  expect(() => opened[0]!.key()).not.toThrow();
  advance(1);
  await cache.check();
  await Promise.resolve();
  expect(() => opened[0]!.key()).toThrow(KekDisposedError);

  // After a pause, a process checks before it uses a key.
  away = false;
  await cache.get('t-1', 'k-1', open());
  await cache.check();
  advance(MINUTE_MS);
  expect(await cache.get('t-1', 'k-1', open())).toBe(opened[2]);
});
