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
  return { opened, open, advance, clock: () => nowMs };
}

test('a KEK is opened once in fifteen minutes, then again', async () => {
  const { opened, open, advance, clock } = counter();
  const cache = createKeyCache({ clock });
  const first = await cache.get('t-1', 'k-1', open());
  advance(15 * MINUTE_MS - 1);
  expect(await cache.get('t-1', 'k-1', open())).toBe(first);
  advance(1);
  expect(await cache.get('t-1', 'k-1', open())).not.toBe(first);
  expect(opened).toHaveLength(2);
  // Someone may still be using it.
  expect(() => first.key()).not.toThrow();
});

test('use does not prolong the time that a KEK is kept', async () => {
  const { opened, open, advance, clock } = counter();
  const cache = createKeyCache({ maxAgeMs: 1000, clock });
  for (let i = 0; i < 5; i++) {
    await cache.get('t-1', 'k-1', open());
    advance(400);
  }
  expect(opened).toHaveLength(2);
});

test('tenants and KEKs are kept apart, whatever their ids contain', async () => {
  const { opened, open, clock } = counter();
  const cache = createKeyCache({ clock });
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

test('callers at the same time share one opening', async () => {
  const { opened, open, clock } = counter();
  const cache = createKeyCache({ clock });
  const keks = await Promise.all(Array.from({ length: 20 }, () => cache.get('t-1', 'k-1', open())));
  expect(new Set(keks).size).toBe(1);
  expect(opened).toHaveLength(1);
});

test('a failure reaches every caller and is not remembered', async () => {
  const { open, clock } = counter();
  const cache = createKeyCache({ clock });
  const failing = async (): Promise<Kek> => {
    throw new Error('provider is away');
  };
  const both = [cache.get('t-1', 'k-1', failing), cache.get('t-1', 'k-1', failing)];
  for (const result of await Promise.allSettled(both)) expect(result.status).toBe('rejected');
  await expect(cache.get('t-1', 'k-1', open())).resolves.toBeInstanceOf(Kek);
});

test('another KEK than was asked for is refused and not kept', async () => {
  const { opened, open, clock } = counter();
  const cache = createKeyCache({ clock });
  await expect(cache.get('t-1', 'k-1', open('t-2', 'k-1'))).rejects.toThrow(TypeError);
  expect(() => opened[0]!.key()).toThrow(KekDisposedError);
  await expect(cache.get('t-1', 'k-1', open())).resolves.toBeInstanceOf(Kek);
});

test('dropping disposes one KEK, clearing all, those just being opened included', async () => {
  const { opened, open, clock } = counter();
  const cache = createKeyCache({ clock });
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

test('sweeping forgets what is too old, without anyone asking for it', async () => {
  const { opened, open, advance, clock } = counter();
  const cache = createKeyCache({ maxAgeMs: 1000, clock });
  await cache.get('t-1', 'k-1', open());
  advance(600);
  await cache.get('t-1', 'k-2', open('t-1', 'k-2'));
  advance(600);
  cache.sweep();
  await cache.get('t-1', 'k-2', open('t-1', 'k-2'));
  expect(opened).toHaveLength(2);
  await cache.get('t-1', 'k-1', open());
  expect(opened).toHaveLength(3);
});
