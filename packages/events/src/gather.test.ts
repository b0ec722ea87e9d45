import { expect, test } from 'vitest';
import { gather } from './gather.ts';

async function listsOf<T>(source: AsyncGenerator<T>, most: number, lingerMs: number) {
  const lists: T[][] = [];
  let failure: unknown;
  try {
    for await (const list of gather(source, most, lingerMs)) lists.push(list);
  } catch (error) {
    failure = error;
  }
  return { lists, failure };
}

test('available items come in one list, in order and up to the limit', async () => {
  async function* ten() {
    for (let index = 0; index < 10; index += 1) yield index;
  }
  const { lists, failure } = await listsOf(ten(), 4, 10_000);
  expect(lists).toEqual([
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9],
  ]);
  expect(failure).toBeUndefined();
});

test('a list does not wait longer than the linger time', async () => {
  const ended = Promise.withResolvers<void>();
  async function* oneThenSilence() {
    yield 'one';
    await ended.promise;
  }
  const lists = gather(oneThenSilence(), 100, 1);
  expect((await lists.next()).value).toEqual(['one']);
  ended.resolve();
  expect((await lists.next()).done).toBe(true);
});

test('items received before a failure of the source are not lost', async () => {
  async function* breaking() {
    yield 1;
    yield 2;
    throw new Error('gone');
  }
  const { lists, failure } = await listsOf(breaking(), 100, 10_000);
  expect(lists).toEqual([[1, 2]]);
  expect(failure).toMatchObject({ message: 'gone' });
});
