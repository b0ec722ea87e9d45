import { randomBytes, randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { JournalUnwritableError, openJournal } from './journal.ts';

const folder = mkdtempSync(join(tmpdir(), 'journal-'));
afterAll(() => rmSync(folder, { recursive: true }));
const key = randomBytes(32);
let files = 0;
const freshFile = (): string => join(folder, `journal-${++files}.jsonl`);

async function written(payloads: readonly string[]): Promise<string> {
  const file = freshFile();
  await using journal = await openJournal({ file, key });
  for (const payload of payloads) await journal.append(payload);
  return file;
}

test('appended records are read in order after the process has ended', async () => {
  const file = await written(['one', 'two\nlines', '{"three":3}']);
  await using again = await openJournal({ file, key });
  expect(again.problem()).toBeUndefined();
  expect(await again.records(0)).toEqual([
    { seq: 1, payload: 'one' },
    { seq: 2, payload: 'two\nlines' },
    { seq: 3, payload: '{"three":3}' },
  ]);
  expect(await again.append('four')).toBe(4);
  expect((await again.records(3)).map((record) => record.payload)).toEqual(['four']);
});

test('concurrent appends each get their own number, without gaps', async () => {
  await using journal = await openJournal({ file: freshFile(), key });
  const numbers = await Promise.all(Array.from({ length: 50 }, (_, i) => journal.append(`r${i}`)));
  expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  const records = await journal.records(0);
  expect(records.map((record) => record.payload)).toEqual(numbers.map((_, i) => `r${i}`));
});

test('an incomplete last line, left by a crash, is removed, and the chain continues', async () => {
  const file = await written(['one', 'two']);
  const whole = readFileSync(file);
  writeFileSync(file, whole.subarray(0, whole.length - randomInt(1, 20)));
  await using journal = await openJournal({ file, key });
  expect(journal.problem()).toBeUndefined();
  expect(await journal.append('again')).toBe(2);
  expect((await journal.records(0)).map((record) => record.payload)).toEqual(['one', 'again']);
});

test('a change of any byte is detected', async () => {
  const file = await written(['one', 'two', 'three']);
  const whole = readFileSync(file);
  for (let at = 0; at < whole.length - 1; at += 1) {
    const changed = Buffer.from(whole);
    changed[at] = changed[at]! ^ 1;
    writeFileSync(file, changed);
    await using journal = await openJournal({ file, key });
    const payloads = (await journal.records(0)).map((record) => record.payload);
    expect(payloads).not.toEqual(['one', 'two', 'three']);
    expect(payloads).toEqual(['one', 'two', 'three'].slice(0, payloads.length));
    expect(journal.problem()).toBeDefined();
    await expect(journal.append('more')).rejects.toBeInstanceOf(JournalUnwritableError);
  }
});

test('a line that is removed or swapped breaks the chain', async () => {
  const file = await written(['one', 'two', 'three']);
  const [one, two, three] = readFileSync(file, 'utf8').trimEnd().split('\n');
  for (const lines of [
    [two, three],
    [one, three],
    [two, one, three],
    [one, one, two],
  ]) {
    writeFileSync(file, `${lines.join('\n')}\n`);
    await using journal = await openJournal({ file, key });
    expect(journal.problem()).toMatch(/evidence/);
  }
});

test('no record is valid under another key', async () => {
  const file = await written(['one']);
  await using journal = await openJournal({ file, key: randomBytes(32) });
  expect(journal.problem()).toBeDefined();
});

test('a file that is replaced, truncated or changed while open accepts no more records', async () => {
  for (const meddle of [
    (file: string) => renameSync(file, `${file}.moved`),
    (file: string) => writeFileSync(file, ''),
    (file: string) => writeFileSync(file, 'x', { flag: 'a' }),
  ]) {
    const file = freshFile();
    await using journal = await openJournal({ file, key });
    await journal.append('one');
    meddle(file);
    await expect(journal.append('two')).rejects.toBeInstanceOf(JournalUnwritableError);
  }
});

test('a trimmed journal keeps the later records, their numbers and the chain', async () => {
  const file = freshFile();
  {
    await using journal = await openJournal({ file, key, keepBytes: 0 });
    for (const payload of ['one', 'two', 'three']) await journal.append(payload);
    const [, four] = await Promise.all([journal.trim(2), journal.append('four')]);
    expect(four).toBe(4);
    expect((await journal.records(0)).map(({ seq }) => seq)).toEqual([3, 4]);
    await journal.trim(4);
    expect(await journal.append('five')).toBe(5);
    // There is nothing left to remove.
    await journal.trim(4);
  }
  expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3);
  await using again = await openJournal({ file, key });
  expect(again.problem()).toBeUndefined();
  expect(await again.records(0)).toEqual([{ seq: 5, payload: 'five' }]);
  expect(await again.append('six')).toBe(6);
});

test('a small journal is not trimmed', async () => {
  const file = await written(['one', 'two']);
  const whole = readFileSync(file);
  await using journal = await openJournal({ file, key });
  await journal.trim(2);
  expect(readFileSync(file)).toEqual(whole);
});

test('a change of any byte of a trimmed journal is detected, and its first line is invalid in any other', async () => {
  const file = await written(['one', 'two', 'three']);
  const before = readFileSync(file, 'utf8').split('\n');
  {
    await using journal = await openJournal({ file, key, keepBytes: 0 });
    await journal.trim(2);
  }
  const whole = readFileSync(file);
  for (let at = 0; at < whole.length - 1; at += 1) {
    const changed = Buffer.from(whole);
    changed[at] = changed[at]! ^ 1;
    writeFileSync(file, changed);
    await using journal = await openJournal({ file, key });
    expect(await journal.records(0)).toEqual([]);
    expect(journal.problem()).toBeDefined();
  }
  const [base] = whole.toString().split('\n');
  for (const lines of [
    [base, before[1]],
    [before[0], base, before[2]],
  ]) {
    writeFileSync(file, `${lines.join('\n')}\n`);
    await using journal = await openJournal({ file, key });
    expect(journal.problem()).toBeDefined();
  }
});

test('a journal that cannot be replaced stays in use unchanged', async () => {
  const file = freshFile();
  await using journal = await openJournal({ file, key, keepBytes: 0 });
  await journal.append('one');
  // Even root cannot rename a file over a folder that is not empty.
  mkdirSync(join(`${file}.new`, 'taken'), { recursive: true });
  await expect(journal.trim(1)).rejects.toThrow();
  expect(await journal.append('two')).toBe(2);
  expect((await journal.records(0)).map(({ payload }) => payload)).toEqual(['one', 'two']);
});
