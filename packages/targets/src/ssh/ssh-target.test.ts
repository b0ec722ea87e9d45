import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { leaveAccount, removeAbandonedAccounts } from './accounts.ts';
import { startSshTarget } from './ssh-target.ts';

/** Beyond the largest number that Linux gives to a process. */
const noProcess = 2 ** 22 + 1;
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
  const name = `clv-left-${process.pid}`;
  await leaveAccount(name, noProcess);
  await using _target = await startSshTarget();
  expect(accounts()).not.toContain(`${name}:`);
});

test('several that start at once remove them together', async () => {
  const name = `clv-left2-${process.pid}`;
  await leaveAccount(name, noProcess);
  await Promise.all(Array.from({ length: 4 }, removeAbandonedAccounts));
  expect(accounts()).not.toContain(`${name}:`);
});

test("the machine's own accounts are not let in", async () => {
  await using target = await startSshTarget();
  expect(await target.accepts('root', 'anything')).toBe(false);
  await expect.poll(() => target.log()).toContain('not allowed because not listed in AllowUsers');
});
