import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { readLine } from './secret-input.ts';

test.each([
  ['\r\n\n 123 456\r\n', ' 123 456'],
  ['\u00a0\n123-456\n', '123-456'],
  ['654\u0015\n123456\r', '123456'],
])('of %j a question for a code takes the first line with something in it', async (typed, line) => {
  const input = new PassThrough();
  const read = readLine(input, { skipEmptyLines: true });
  input.write(typed);
  expect(await read).toBe(line);
});

test('any other question takes an empty line for the answer', async () => {
  const input = new PassThrough();
  const read = readLine(input);
  input.write('\nlater\n');
  expect(await read).toBe('');
});
