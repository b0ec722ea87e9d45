import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mayMount } from '@claviger/targets';
import { expect, test } from 'vitest';
import { prepareSecretOutput } from './secret-output.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'claviger-output-'));

test('a file contains only the secret, of any length', async () => {
  const place = folder();
  for (const length of [1, 65_536, 70_000]) {
    const outputFile = join(place, String(length));
    const output = await prepareSecretOutput({ outputFile }, 'table');
    const secret = 'x'.repeat(length);
    await output.deliver({ username: '', secret, version: 1, receipt: undefined });
    expect(readFileSync(outputFile, 'utf8')).toBe(secret);
  }
  rmSync(place, { recursive: true });
});

test('a full disk is found before the secret is requested', async () => {
  const place = folder();
  if (!mayMount()) return console.warn('NOT TESTED: a full disk. Run the tests as root.');
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', place]);
  try {
    const outputFile = join(place, 'secret');
    await expect(prepareSecretOutput({ outputFile }, 'table')).rejects.toThrow(
      /not enough disk space for .*secret: ENOSPC/,
    );
    expect(readdirSync(place)).toEqual([]);
  } finally {
    spawnSync('umount', [place]);
    rmSync(place, { recursive: true });
  }
});
