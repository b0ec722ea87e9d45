import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { mayMount } from '@claviger/targets';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { useMemoryFolder } from './memory-folder.ts';

const possible = mayMount();
if (!possible) console.warn('NOT TESTED: the folder in memory. Run the tests as root.');

/** The mounted file system of each test; a tmpfs takes memory only for what it holds. */
let parent: string;
const mount = (options: string): void => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', parent]);
};
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'claviger-memory-'));
});
afterEach(() => {
  spawnSync('umount', [parent]);
  rmdirSync(parent);
});

describe.runIf(possible)('a tmpfs with space', () => {
  beforeEach(() => mount('size=7g'));

  test('holds the temporary files of a run until its end', () => {
    const env: NodeJS.ProcessEnv = {};
    const memory = useMemoryFolder(parent, env);
    expect(env.TMPDIR).toBe(memory.path);
    expect(dirname(memory.path!)).toBe(parent);
    writeFileSync(join(memory.path!, 'data'), 'x');
    memory[Symbol.dispose]();
    expect(env).toEqual({});
    expect(readdirSync(parent)).toEqual([]);
  });

  test('is not used if TMPDIR is set', () => {
    const env = { TMPDIR: '/var/tmp' };
    expect(useMemoryFolder(parent, env).path).toBeUndefined();
    expect(env).toEqual({ TMPDIR: '/var/tmp' });
  });

  test('is freed of what a killed run left behind, and of nothing else', async () => {
    const ended = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await once(ended, 'exit');
    const abandoned = join(parent, `claviger-run-${ended.pid}-abcdef`);
    const [running, other] = [join(parent, `claviger-run-${process.pid}-abcdef`), join(parent, 'other')];
    for (const folder of [abandoned, running, other]) mkdirSync(folder);
    using memory = useMemoryFolder(parent, {});
    expect(memory.path).toBeDefined();
    expect([abandoned, running, other].map((each) => existsSync(each))).toEqual([false, true, true]);
  });
});

test.runIf(possible).each(['size=7g,noexec', 'size=64m'])('a tmpfs with %s is not used', (options) => {
  mount(options);
  expect(useMemoryFolder(parent, {}).path).toBeUndefined();
  expect(readdirSync(parent)).toEqual([]);
});

test('a folder of another file system is not used', () => {
  expect(useMemoryFolder(parent, {}).path).toBeUndefined();
});
