import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withFileLock } from './file-lock.ts';
import { readProfile, readTokens, withTokenLock, writeProfile, writeTokens } from './profiles.ts';

let home: string;
let env: NodeJS.ProcessEnv;
const profile = { server: 'https://localhost:7101', ca: '/ca.crt', username: 'alice' };
const tokens = { server: profile.server, accessToken: 'a', refreshToken: 'r', expiresAt: 1 };

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'claviger-config-'));
  env = { XDG_CONFIG_HOME: home };
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const mode = (name: string) => statSync(join(home, 'claviger', name)).mode & 0o777;

test('profiles and tokens are readable only by their owner, and stored in separate files', async () => {
  await writeProfile('default', profile, env);
  await withTokenLock(() => writeTokens('default', tokens, env), env);
  expect(mode('.')).toBe(0o700);
  expect(mode('profiles.json')).toBe(0o600);
  expect(mode('tokens.json')).toBe(0o600);
  expect(mode('tokens.lock')).toBe(0o600);
  expect(await readProfile('default', env)).toEqual(profile);
  expect(await readTokens('default', env)).toEqual(tokens);
});

test('a profile may have the name of a property that every object has', async () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    expect(await readProfile(name, env)).toBeUndefined();
    await writeProfile(name, { ...profile, username: name }, env);
    expect(await readProfile(name, env)).toEqual({ ...profile, username: name });
  }
});

test('forgetting one sign-in keeps the others', async () => {
  await withTokenLock(async () => {
    await writeTokens('alice', tokens, env);
    await writeTokens('bob', tokens, env);
    await writeTokens('alice', undefined, env);
  }, env);
  expect(await readTokens('alice', env)).toBeUndefined();
  expect(await readTokens('bob', env)).toEqual(tokens);
});

test('a lock has one holder at a time, also within one process', async () => {
  let holders = 0;
  let most = 0;
  const work = async () => {
    holders += 1;
    most = Math.max(most, holders);
    // Slow on purpose, so that two calls could overlap.
    await new Promise((resolve) => setTimeout(resolve, 10));
    holders -= 1;
  };
  await Promise.all(Array.from({ length: 5 }, () => withFileLock('test.lock', work, env)));
  expect(most).toBe(1);
});

test('a lock is released when the work fails', async () => {
  await expect(withFileLock('test.lock', () => Promise.reject(new Error('no')), env)).rejects.toThrow('no');
  expect(await withFileLock('test.lock', async () => 'yes', env, 1_000)).toBe('yes');
});
