import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const main = join(import.meta.dirname, 'main.ts');
const full = /^claviger: standard output cannot be written \(no space left on device\): .*\n$/;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'claviger-output-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly code: number | null;
  readonly stderr: string;
}

/** Runs a command with standard output in this file, or in a pipe whose reader is gone. */
async function run(args: readonly string[], stdout: string | 'closed', stderr?: string): Promise<Outcome> {
  const out = stdout === 'closed' ? 'pipe' : openSync(stdout, 'a');
  const err = stderr === undefined ? 'pipe' : openSync(stderr, 'a');
  const child = spawn(process.execPath, [main, ...args], {
    env: { PATH: process.env.PATH ?? '', CLAVIGER_DATA_DIR: folder, XDG_CONFIG_HOME: folder },
    stdio: ['ignore', out, err],
  });
  child.stdout?.destroy();
  for (const file of [out, err]) if (typeof file === 'number') closeSync(file);
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stderr: text };
}

test.each([
  ['a text', ['explain']],
  ['the help', ['--help']],
  ['JSON', ['doctor', '--json']],
])('%s for a full disk is one line of complaint; for a closed pipe, silence', async (_, args) => {
  const [onFull, onClosed] = await Promise.all([run(args, '/dev/full'), run(args, 'closed')]);
  expect(onFull).toEqual({ code: 1, stderr: expect.stringMatching(full) });
  expect(onClosed).toEqual({ code: 1, stderr: '' });
});

test('messages that cannot be written to a full disk leave the exit code unchanged', async () => {
  const answer = join(folder, 'answer');
  expect((await run(['explain', 'no-such-code'], answer, '/dev/full')).code).toBe(5);
  expect((await run(['audit', 'verify', '/nonexistent'], answer, '/dev/full')).code).toBe(2);
});

const mounted = (place: string) =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', place]).status === 0;

test('a disk that takes a part of the answer is full, too', async () => {
  const place = mkdtempSync(join(folder, 'disk-'));
  // Only root that the system lets mount has a disk to fill.
  if (!mounted(place)) return console.warn('NOT TESTED: a disk that becomes full. Run the tests as root.');
  try {
    const answer = join(place, 'answer');
    expect(await run(['explain'], answer)).toEqual({ code: 1, stderr: expect.stringMatching(full) });
    expect(readFileSync(answer, 'utf8')).toHaveLength(4096);
  } finally {
    spawnSync('umount', [place]);
  }
});
