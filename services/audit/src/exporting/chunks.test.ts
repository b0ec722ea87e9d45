import { expect, test } from 'vitest';
import { chunks } from './chunks.ts';

test('after an abort no more texts are read', async () => {
  const gone = new AbortController();
  let closed = false;
  async function* endless() {
    try {
      for (;;) yield 'x'.repeat(1_000);
    } finally {
      closed = true;
    }
  }
  let sizes = 0;
  for await (const chunk of chunks(endless(), gone.signal)) {
    sizes += chunk.length;
    if (sizes > 200_000) gone.abort();
  }
  expect(closed).toBe(true);
  expect(sizes).toBeLessThan(300_000);
});

test('small texts are joined into few chunks without loss', async () => {
  async function* texts() {
    for (let n = 0; n < 10_000; n += 1) yield `${n} é\n`;
  }
  const all = [];
  for await (const chunk of chunks(texts(), new AbortController().signal)) all.push(chunk);
  expect(all.length).toBeLessThan(4);
  expect(Buffer.concat(all).toString().split('\n')[9_999]).toBe('9999 é');
});
