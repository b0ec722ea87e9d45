import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readLine, readSecret, readSecretLine, readSecretLines } from './secret-input.ts';
import { readText } from './text-input.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'claviger-secret-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(content: string | Buffer): string {
  const path = join(folder, 'secret');
  writeFileSync(path, content);
  return path;
}

/** Returns the value that is read and the warnings on standard error. */
async function readWithWarnings<T>(read: () => Promise<T>): Promise<readonly [T, string]> {
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    const value = await read();
    return [value, stderr.mock.calls.map(([text]) => text).join('')];
  } finally {
    stderr.mockRestore();
  }
}

const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n';

test.each([
  ['without a line end', 'pw', 'pw'],
  ['with a line end', 'pw\n', 'pw'],
  ['with a line end of Windows', 'pw\r\n', 'pw'],
  ['between blanks', ' p w \n', ' p w '],
  ['of any characters', 'pä\t\u2028🔑\u{feff}\n', 'pä\t\u2028🔑\u{feff}'],
  ['of several lines', key, key],
  ['of several lines without a last line end', key.trimEnd(), key.trimEnd()],
  ['of several lines of Windows', key.replaceAll('\n', '\r\n'), key.replaceAll('\n', '\r\n')],
  ['and an empty line', 'pw\n\n', 'pw\n\n'],
])('a secret %s is read unchanged, without a warning', async (_, content, secret) => {
  expect(await readWithWarnings(() => readSecret(file(content)))).toEqual([secret, '']);
});

test.each([
  ['\ufeffpw\n', 'pw', 'byte order mark'],
  ['\ufeff\ufeffpw', 'pw', 'byte order mark'],
  [`\ufeff${key}`, key, 'byte order mark'],
  ['pw\r', 'pw\r', 'carriage return'],
  ['pw\r\r\n', 'pw\r', 'carriage return'],
  ['p\rw\n', 'p\rw', 'carriage return'],
])('%j is read as the secret %j, with a warning about the %s', async (content, secret, what) => {
  expect(await readWithWarnings(() => readSecret(file(content)))).toEqual([
    secret,
    expect.stringContaining(what),
  ]);
});

const wide = (mark: number[], text: string) =>
  Buffer.concat([Buffer.from(mark), Buffer.from(text, 'utf16le')]);
test.each([
  ['UTF-16 of PowerShell', wide([0xff, 0xfe], 'pä\r\n'), 'is UTF-16LE, not UTF-8: convert it with `iconv'],
  ['UTF-16, big end first', wide([], '\ufeffpä\n').swap16(), 'is UTF-16BE, not UTF-8'],
  ['UTF-16 without a mark', wide([], 'pässword\n'), 'is UTF-16LE, not UTF-8'],
  ['UTF-16 without a mark, big end first', wide([], 'password').swap16(), 'is UTF-16BE, not UTF-8'],
  ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x70, 0, 0, 0]), 'is UTF-32LE, not UTF-8'],
  ['UTF-32, big end first', Buffer.from([0, 0, 0xfe, 0xff, 0, 0, 0, 0x70]), 'is UTF-32BE, not UTF-8'],
  ['Latin-1', Buffer.from('first\np\xe4ss', 'latin1'), 'is not UTF-8 (line 2)'],
  ['a lone surrogate', Buffer.from([0xed, 0xa0, 0x80]), 'is not UTF-8 (line 1)'],
  ['an incomplete character', Buffer.from('pä').subarray(0, 2), 'is not UTF-8 (line 1)'],
  ['a NUL byte', Buffer.from('p\0w'), 'holds NUL bytes'],
  ['nothing', Buffer.alloc(0), 'is empty'],
  ['a mark alone', Buffer.from('\ufeff'), 'is empty'],
  ['a line end', Buffer.from('\r\n'), 'holds line ends only'],
  ['line ends', Buffer.from('\ufeff\n\r\n\r'), 'holds line ends only'],
  ['more than 1 MiB', Buffer.alloc(1024 * 1024 + 1, 'x'), 'holds more than 1048576 bytes'],
])('%s is refused with a hint', async (_, bytes, problem) => {
  const path = file(bytes);
  const [error] = await readWithWarnings(() =>
    readSecret(path, 'store it otherwise').catch((cause: Error) => cause),
  );
  expect(error).toMatchObject({ exitCode: 2, message: expect.stringContaining(`${path} ${problem}`) });
  if (/UTF|NUL/.test(problem)) expect(String(error)).toMatch(/, or store it otherwise$/);
});

test('a password or code is one line; further lines are refused, except empty lines at the end', async () => {
  expect(await readSecretLines(file('pw\r\n123456\r\n\r\n'), 2)).toEqual(['pw', '123456']);
  expect(await readSecretLine('password', file(' pw \n\n'))).toBe(' pw ');
  expect(await readWithWarnings(() => readSecretLine('password', file('\ufeffpw\r\n')))).toEqual([
    'pw',
    expect.stringContaining('byte order mark'),
  ]);
  for (const [content, problem] of [
    ['pw\nmore', 'holds 2 lines: give one line'],
    ['\n', 'the password is empty'],
    ['\nmore\n', 'holds 2 lines'],
  ] as const)
    await expect(readSecretLine('password', file(content))).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(problem),
    });
});

test('a file that does not exist is a usage error that names it', async () => {
  await expect(readText(join(folder, 'none'))).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/none cannot be read: ENOENT/),
  });
});

test.each([
  ['\r\n\n 123 456\r\n', ' 123 456'],
  ['\u00a0\n123-456\n', '123-456'],
  ['654\u0015\n123456\r', '123456'],
])('from %j, a question for a code takes the first line that is not blank', async (typed, line) => {
  const input = new PassThrough();
  const read = readLine(input, { skipEmptyLines: true });
  input.write(typed);
  expect(await read).toBe(line);
});

test('any other question accepts an empty line as the answer', async () => {
  const input = new PassThrough();
  const read = readLine(input);
  input.write('\nlater\n');
  expect(await read).toBe('');
});

test('input of a terminal that is not UTF-8 is an error that names UTF-8', async () => {
  const input = new PassThrough();
  const read = readLine(input);
  input.write(Buffer.from('p\xe4ss\n', 'latin1'));
  await expect(read).rejects.toThrow('set it to UTF-8');
});
