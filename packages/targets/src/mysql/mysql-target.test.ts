import { expect, test } from 'vitest';
import { startMysqlTarget } from './mysql-target.ts';

test('a user logs in with its password only, and the server is gone after stop', async () => {
  const target = await startMysqlTarget();
  await target.createUser('svc', 'First-Password-1');
  expect(await target.accepts('svc', 'First-Password-1')).toBe(true);
  expect(await target.accepts('svc', 'wrong')).toBe(false);
  await target.stop();
  expect(() => process.kill(target.pid, 0)).toThrow();
  await expect(target.accepts('svc', 'First-Password-1')).rejects.toThrow();
});
