import { expect, test } from 'vitest';
import { startPostgresTarget } from './postgres-target.ts';

test('a role logs in with its password only, and the server is gone after stop', async () => {
  const target = await startPostgresTarget();
  await target.createRole('svc', 'First-Password-1');
  expect(await target.accepts('svc', 'First-Password-1')).toBe(true);
  expect(await target.accepts('svc', 'wrong')).toBe(false);
  await target.setLoginMethod('reject');
  await expect(target.accepts('svc', 'First-Password-1')).rejects.toThrow(/pg_hba/);
  await target.stop();
  expect(() => process.kill(target.pid, 0)).toThrow();
  await expect(target.accepts('svc', 'First-Password-1')).rejects.toThrow();
});
