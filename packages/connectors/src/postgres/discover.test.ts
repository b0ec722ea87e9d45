import { type PostgresTarget, startPostgresTarget } from '@claviger/targets';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectorFor } from '../registry.ts';
import { loopbackContext } from '../testing-context.ts';

const connector = connectorFor('postgres');
let server: PostgresTarget;

beforeAll(async () => {
  server = await startPostgresTarget();
  await server.createRole('plain', 'Some-Password-1');
  await server.createRole('inherits', 'Some-Password-1');
  await server.sql('CREATE ROLE middle');
  await server.sql('CREATE ROLE builders CREATEROLE');
  await server.sql('GRANT builders TO middle');
  await server.sql('GRANT middle TO inherits');
});
afterAll(() => server?.stop());

const config = () => ({ host: '127.0.0.1', port: server.port, tls: { mode: 'disable' } });

test('lists the roles, and who is privileged through any level of membership', async () => {
  const found = await connector.discover(config(), server.admin, loopbackContext());
  const shape = found.map(({ username, privileged, canLogin }) => ({ username, privileged, canLogin }));
  expect(shape).toEqual([
    { username: 'builders', privileged: true, canLogin: false },
    { username: 'inherits', privileged: true, canLogin: true },
    { username: 'middle', privileged: true, canLogin: false },
    { username: 'plain', privileged: false, canLogin: true },
    { username: 'target_admin', privileged: true, canLogin: true },
  ]);
  expect(found[1]?.details).toMatchObject({ superuser: 'false', memberOf: 'builders,middle' });
});

test('a refused login is reported as an error', async () => {
  const admin = { ...server.admin, password: 'wrong' };
  await expect(connector.discover(config(), admin, loopbackContext())).rejects.toMatchObject({
    kind: 'authentication',
  });
});

test('the connection test reports the version, or the problem', async () => {
  expect(await connector.test(config(), server.admin, loopbackContext())).toMatchObject({
    ok: true,
    latencyMs: expect.any(Number),
    serverVersion: expect.stringMatching(/^\d+/),
  });
  expect(
    await connector.test(config(), { ...server.admin, password: 'wrong' }, loopbackContext()),
  ).toMatchObject({
    ok: false,
    problem: expect.stringContaining('28P01'),
  });
});
