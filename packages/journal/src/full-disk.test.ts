import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openJournal } from './journal.ts';

const folder = mkdtempSync(join(tmpdir(), 'journal-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('F-41 a record without disk space is refused, and the earlier ones stay intact', async () => {
  const file = join(folder, 'journal.jsonl');
  const key = randomBytes(32);
  const script = join(folder, 'fill.mts');
  // Appends until the disk is full, then continues; prints every answer.
  writeFileSync(
    script,
    `import { openJournal } from ${JSON.stringify(join(import.meta.dirname, 'journal.ts'))};
    const journal = await openJournal({ file: ${JSON.stringify(file)}, key: Buffer.from('${key.toString('hex')}', 'hex') });
    for (let i = 0; i < 60; i += 1) {
      const outcome = await journal.append('x'.repeat(100)).then((seq) => 'ok ' + seq, (error) => error.name);
      console.log(outcome);
    }`,
  );
  // In units of 512 or 1,024 bytes, depending on the shell: in both cases too small for sixty records.
  const { stdout, stderr } = spawnSync(
    'sh',
    ['-c', 'ulimit -f 6; exec "$0" --no-warnings "$1"', process.execPath, script],
    { encoding: 'utf8' },
  );
  const outcomes = stdout.trim().split('\n');
  expect(outcomes, stderr).toHaveLength(60);
  const written = outcomes.filter((outcome) => outcome.startsWith('ok '));
  expect(written.length).toBeGreaterThan(5);
  expect(written.length).toBeLessThan(60);
  expect(outcomes.slice(written.length)).toEqual(
    Array.from({ length: 60 - written.length }, () => 'JournalUnwritableError'),
  );
  await using journal = await openJournal({ file, key });
  expect(journal.problem()).toBeUndefined();
  expect(await journal.append('there is room again')).toBe(written.length + 1);
  expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(written.length + 2);
});
