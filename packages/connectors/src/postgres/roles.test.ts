import { randomBytes } from 'node:crypto';
import { Client } from '@claviger/postgres-client';
import { type PostgresTarget, startPostgresTarget } from '@claviger/targets';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectorFor } from '../registry.ts';
import { loopbackContext } from '../testing-context.ts';

const connector = connectorFor('postgres');
const newPassword = () => randomBytes(18).toString('base64url');
let server: PostgresTarget;
let username: string;
let current: string;
let next: string;

beforeAll(async () => {
  server = await startPostgresTarget();
  await server.sql('CREATE DATABASE shut');
  await server.sql('REVOKE CONNECT ON DATABASE shut FROM public');
  await server.sql('CREATE DATABASE empty CONNECTION LIMIT 0');
});
afterAll(() => server?.stop());
beforeEach(async () => {
  username = `r${randomBytes(4).toString('hex')}`;
  current = newPassword();
  next = newPassword();
  await server.createRole(username, current);
});

const self = (more: object = {}) => ({
  host: '127.0.0.1',
  port: server.port,
  tls: { mode: 'disable' },
  ...more,
});
const byAdmin = (more: object = {}) => self({ rotateAs: 'admin', ...more });
const rotate = (config: object, secrets: object = {}) =>
  connector.rotate(
    config,
    { username },
    { current, next, admin: server.admin, ...secrets },
    loopbackContext(),
  );
const verify = (secret: string, config: object = self()) =>
  connector.verify(config, { username }, secret, loopbackContext());
/** The stored row of the role; its password is separate. */
const held = async () => {
  const [row] = await server.sql(`SELECT * FROM pg_authid WHERE rolname = '${username}'`);
  const { rolpassword, ...rest } = row ?? {};
  return { password: rolpassword, rest: JSON.stringify(rest) };
};

describe('a role that cannot log in stays as it is, and is changed only after a disclosure', () => {
  test.each<[string, string, string, string]>([
    ['without login', 'NOLOGIN', 'postgres', ' LOGIN'],
    ['that has expired', "VALID UNTIL '2001-01-01'", 'postgres', "VALID UNTIL 'infinity'"],
    [
      'that expires at once',
      `VALID UNTIL '${new Date(Date.now() + 30_000).toISOString()}'`,
      'postgres',
      'VALID UNTIL',
    ],
    ['without connections', 'CONNECTION LIMIT 0', 'postgres', 'CONNECTION LIMIT -1'],
    ['that may not connect to the database', '', 'shut', 'GRANT CONNECT ON DATABASE'],
    ['of a database without connections', '', 'empty', 'ALTER DATABASE "empty" CONNECTION LIMIT'],
  ])('%s', async (_what, rest, database, hint) => {
    await server.sql(`ALTER ROLE ${username} ${rest}`);
    const before = await held();
    expect(await rotate(byAdmin({ database }))).toMatchObject({
      outcome: 'refused',
      kind: 'not_possible',
      hint: expect.stringContaining(hint),
    });
    expect(await held()).toEqual(before);
    expect(await rotate(byAdmin({ database }), { evenIfBlocked: true })).toMatchObject({
      outcome: 'applied',
      blocked: { reason: expect.any(String), hint: expect.stringContaining(hint) },
    });
    const after = await held();
    expect(after.rest).toBe(before.rest);
    expect(after.password).not.toBe(before.password);
    await server.sql(`ALTER ROLE ${username} LOGIN CONNECTION LIMIT -1 VALID UNTIL 'infinity'`);
    expect(await verify(next)).toEqual({ outcome: 'accepted' });
  });

  test('connection limits do not block a superuser', async () => {
    await server.sql(`ALTER ROLE ${username} SUPERUSER CONNECTION LIMIT 0`);
    expect(await rotate(byAdmin({ database: 'empty' }))).toEqual({ outcome: 'applied' });
    expect(await verify(next, self({ database: 'empty' }))).toEqual({ outcome: 'accepted' });
  });

  test('a role that expires before a login can verify the change does not rotate itself', async () => {
    await server.sql(`ALTER ROLE ${username} VALID UNTIL '${new Date(Date.now() + 30_000).toISOString()}'`);
    expect(await rotate(self())).toMatchObject({ outcome: 'refused', kind: 'not_possible' });
    expect(await server.accepts(username, current)).toBe(true);
  });
});

describe('each refusal of a login has its kind and a hint', () => {
  test.each<[string, string, object, object]>([
    ['no login', 'NOLOGIN', {}, { kind: 'not_possible', hint: expect.stringContaining(' LOGIN') }],
    [
      'no connections',
      'CONNECTION LIMIT 0',
      {},
      { kind: 'not_now', hint: expect.stringContaining('CONNECTION LIMIT') },
    ],
    ['a full database', '', { database: 'empty' }, { kind: 'not_now' }],
    [
      'no permission to connect',
      '',
      { database: 'shut' },
      { kind: 'permission', hint: expect.stringContaining('GRANT CONNECT') },
    ],
    [
      'no such database',
      '',
      { database: 'absent' },
      { kind: 'configuration', hint: expect.stringContaining('database') },
    ],
    [
      'a database that allows no connections',
      '',
      { database: 'template0' },
      { kind: 'not_possible', hint: expect.stringContaining('ALLOW_CONNECTIONS') },
    ],
  ])('%s', async (_what, rest, config, expected) => {
    await server.sql(`ALTER ROLE ${username} ${rest}`);
    expect(await verify(current, self(config))).toMatchObject({ outcome: 'unknown', ...expected });
    // PostgreSQL compares the password first, so a wrong password is still refused.
    if (rest !== '') expect(await verify('wrong')).toMatchObject({ outcome: 'refused' });
  });

  test('no free connection for the role: not now; a later attempt succeeds', async () => {
    await server.sql(`ALTER ROLE ${username} CONNECTION LIMIT 1`);
    const held = new Client({
      ...self(),

      user: username,
      password: current,
      database: 'postgres',
    });
    await held.connect();
    expect(await rotate(self())).toMatchObject({ outcome: 'refused', kind: 'not_now' });
    await held.end();
    await expect.poll(() => rotate(self())).toEqual({ outcome: 'applied' });
  });

  test('pg_hba.conf: not possible, with the missing line in the hint', async () => {
    await server.setLoginMethod('reject');
    try {
      expect(await verify(current)).toMatchObject({
        outcome: 'unknown',
        kind: 'not_possible',
        hint: expect.stringContaining(`host "postgres" "${username}" ADDRESS/32 scram-sha-256`),
      });
      expect(await rotate(self())).toMatchObject({ outcome: 'refused', kind: 'not_possible' });
    } finally {
      await server.setLoginMethod('scram-sha-256');
    }
  });

  test('an error that the server gives for a wrong password names the possible causes', async () => {
    await server.sql(`ALTER ROLE ${username} VALID UNTIL '2001-01-01'`);
    expect(await verify(current)).toMatchObject({
      outcome: 'refused',
      hint: expect.stringContaining('VALID UNTIL'),
    });
  });

  test('a password stored as MD5 is refused with a hint; a rotation by an administrator stores it for SCRAM', async () => {
    await server.sql(`SET password_encryption = md5; ALTER ROLE ${username} PASSWORD '${current}'`);
    expect(await verify(current)).toMatchObject({
      outcome: 'refused',
      hint: expect.stringContaining('SCRAM'),
    });
    expect(await rotate(byAdmin())).toEqual({ outcome: 'applied' });
    expect(await verify(next)).toEqual({ outcome: 'accepted' });
  });
});

describe('each refusal of a change has its kind and a hint', () => {
  test('an administrator who is no superuser cannot change a superuser', async () => {
    await server.createRole(`${username}_boss`, current);
    await server.sql(`ALTER ROLE ${username}_boss CREATEROLE`);
    await server.sql(`ALTER ROLE ${username} SUPERUSER`);
    const admin = { username: `${username}_boss`, password: current };
    expect(await rotate(byAdmin(), { admin })).toMatchObject({
      outcome: 'refused',
      kind: 'permission',
      hint: expect.stringMatching(/WITH ADMIN OPTION.*superuser/),
    });
    expect(await server.accepts(username, current)).toBe(true);
  });

  test('a role whose transactions are read-only: permission', async () => {
    await server.refuseChangesBy(username);
    expect(await rotate(self())).toMatchObject({
      outcome: 'refused',
      kind: 'permission',
      hint: expect.stringContaining('RESET default_transaction_read_only'),
    });
  });

  test('a standby: not now', async () => {
    await using standby = await startPostgresTarget({ standby: true });
    const account = { username: standby.admin.username };
    const secrets = { current: standby.admin.password, next };
    expect(
      await connector.rotate(self({ port: standby.port }), account, secrets, loopbackContext()),
    ).toMatchObject({ outcome: 'refused', kind: 'not_now', hint: expect.stringContaining('primary') });
  });
});
