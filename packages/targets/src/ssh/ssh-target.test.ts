import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startSshTarget } from './ssh-target.ts';

const accounts = () => readFileSync('/etc/passwd', 'utf8');

test('an account logs in with its password only, and is gone after stop', async () => {
  const target = await startSshTarget();
  const { username, password } = await target.createAccount();
  expect(await target.accepts(username, password)).toBe(true);
  expect(await target.accepts(username, 'wrong')).toBe(false);
  expect(accounts()).toContain(`${username}:`);
  await target.stop();
  expect(accounts()).not.toContain(`${username}:`);
  await expect(target.accepts(username, password)).rejects.toThrow();
});

test('accounts of a process that is gone are removed by the next start', async () => {
  const gone = spawnSync('true').pid;
  const name = `clv-abandoned${gone}`;
  const added = spawnSync('useradd', ['-M', '-d', '/', '-c', `claviger-target-of-${gone}`, '--', name]);
  expect(added.status).toBe(0);
  await using _target = await startSshTarget();
  expect(accounts()).not.toContain(`${name}:`);
});

test("the machine's own accounts are not let in", async () => {
  await using target = await startSshTarget();
  expect(await target.accepts('root', 'anything')).toBe(false);
  expect(target.log()).toContain('not allowed because not listed in AllowUsers');
});
