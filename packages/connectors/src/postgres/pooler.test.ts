import { randomBytes } from 'node:crypto';
import { Client } from '@claviger/postgres-client';
import {
  type PgbouncerTarget,
  type PostgresTarget,
  startPgbouncerTarget,
  startPostgresTarget,
} from '@claviger/targets';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectorFor } from '../registry.ts';
import { loopbackContext } from '../testing-context.ts';

const connector = connectorFor('postgres');
const newPassword = () => randomBytes(18).toString('base64url');
let server: PostgresTarget;
let pooler: PgbouncerTarget;
let username: string;
let current: string;
let next: string;

beforeAll(async () => {
  server = await startPostgresTarget();
  pooler = await startPgbouncerTarget(server);
});
afterAll(async () => {
  await pooler?.stop();
  await server?.stop();
});
beforeEach(async () => {
  username = `p${randomBytes(4).toString('hex')}`;
  current = newPassword();
  next = newPassword();
  await server.createRole(username, current);
});

const at = (database: string, more: object = {}) => ({
  host: '127.0.0.1',
  port: pooler.port,
  database,
  tls: { mode: 'disable' },
  ...more,
});
const rotate = (config: object) =>
  connector.rotate(config, { username }, { current, next, admin: server.admin }, loopbackContext());
const verify = (secret: string, database = 'session') =>
  connector.verify(at(database), { username }, secret, loopbackContext());
/** The result of a refusal by the pooler's own copy of passwords, which may differ from the server's. */
const byCopy = {
  outcome: 'unknown',
  kind: 'permission',
  hint: expect.stringMatching(/auth_query.*userlist\.txt.*RELOAD/),
};

describe.each(['session', 'transaction'])('with auth_query and pooling by %s', (database) => {
  test.each(['self', 'admin'])('a rotation by %s is verified through the pooler', async (rotateAs) => {
    expect(await verify(current, database)).toEqual({ outcome: 'accepted' });
    expect(await rotate(at(database, { rotateAs }))).toEqual({ outcome: 'applied' });
    expect(await verify(next, database)).toEqual({ outcome: 'accepted' });
    expect(await verify(current, database)).toMatchObject(byCopy);
    expect([await server.accepts(username, current), await server.accepts(username, next)]).toEqual([
      false,
      true,
    ]);
  });

  test('a wrong current password changes nothing', async () => {
    current = 'wrong';
    expect(await rotate(at(database))).toMatchObject({ outcome: 'refused', kind: 'permission' });
  });

  test('a role that has expired is not possible, although the pooler does not check the expiry', async () => {
    expect(await verify(current, database)).toEqual({ outcome: 'accepted' });
    await server.sql(`ALTER ROLE ${username} VALID UNTIL '2001-01-01'`);
    expect(await rotate(at(database, { rotateAs: 'admin' }))).toMatchObject({ kind: 'not_possible' });
    await server.sql(`ALTER ROLE ${username} VALID UNTIL 'infinity'`);
    expect(await server.accepts(username, current)).toBe(true);
  });
});

test('while userlist.txt has the former password, the new one cannot be verified', async () => {
  await pooler.list({ [username]: current });
  expect(await verify(current)).toEqual({ outcome: 'accepted' });
  expect(await rotate(at('session'))).toEqual({ outcome: 'applied' });
  expect(await verify(next)).toMatchObject(byCopy);
  expect(await server.accepts(username, next)).toBe(true);
  await pooler.list({ [username]: next });
  expect(await verify(next)).toEqual({ outcome: 'accepted' });
});

describe('each refusal of the pooler has its kind and a hint', () => {
  test('a role that does not exist or has no login', async () => {
    await server.sql(`ALTER ROLE ${username} NOLOGIN`);
    expect(await verify(current)).toMatchObject({
      outcome: 'unknown',
      kind: 'not_possible',
      hint: expect.stringContaining('LOGIN'),
    });
  });
  test('a database that does not exist', async () => {
    // For a role that is not in the list, the pooler asks for a password before it refuses the database.
    await pooler.list({ [username]: current });
    expect(await verify(current, 'absent')).toMatchObject({
      kind: 'configuration',
      hint: expect.stringContaining('pgbouncer.ini'),
    });
  });
  test('a session under another role', async () => {
    await pooler.list({ [username]: current });
    expect(await verify(current, 'forced')).toEqual({ outcome: 'accepted' });
    expect(await rotate(at('forced'))).toMatchObject({
      outcome: 'refused',
      kind: 'permission',
      reason: expect.stringContaining('another role'),
    });
  });
  test('a pooler without a free connection', async () => {
    const clients: Client[] = [];
    const fill = async () => {
      while (clients.length < pooler.maxClients) {
        const client = new Client({ ...at('transaction'), user: username, password: current });
        client.on('error', () => {});
        await client.connect();
        clients.push(client);
      }
    };
    try {
      // Former clients may still be connected.
      await expect
        .poll(async () => {
          await fill().catch(() => {});
          return verify(current);
        })
        .toMatchObject({ kind: 'not_now', hint: expect.stringContaining('max_client_conn') });
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
  });
});
