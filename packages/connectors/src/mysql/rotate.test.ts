import { randomBytes } from 'node:crypto';
import { type FaultyProxy, type MysqlTarget, startFaultyProxy, startMysqlTarget } from '@claviger/targets';
import mysql from 'mysql2';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectorFor } from '../registry.ts';
import { givingUpWhen, loopbackContext } from '../testing-context.ts';
import { nativePasswordHash } from './native-password-hash.ts';
import { changeRefusal } from './server-errors.ts';

const connector = connectorFor('mysql');
const newPassword = () => `${randomBytes(15).toString('base64url')}'"\\ %x9`;
let server: MysqlTarget;
let proxy: FaultyProxy;
let username: string;
let current: string;
let next: string;

beforeAll(async () => {
  server = await startMysqlTarget();
  proxy = await startFaultyProxy(server);
});
afterAll(async () => {
  await proxy?.stop();
  await server?.stop();
});
beforeEach(async () => {
  await proxy.setMode({ kind: 'ok' });
  username = `u"${randomBytes(4).toString('hex')}'\\; --`;
  current = newPassword();
  next = newPassword();
  await server.createUser(username, current);
});

const self = () => ({ host: '127.0.0.1', port: proxy.port, tls: { mode: 'disable' } });
const byAdmin = () => ({ ...self(), rotateAs: 'admin' });
const rotate = (config: object, secrets: object = {}, ctx = loopbackContext()) =>
  connector.rotate(config, { username }, { current, next, ...secrets }, ctx);
const accepted = async () => [await server.accepts(username, current), await server.accepts(username, next)];

test('after a rotation by the account itself the old password is refused and the new one accepted', async () => {
  expect(await rotate(self())).toEqual({ outcome: 'applied' });
  expect(await accepted()).toEqual([false, true]);
  expect(await connector.verify(self(), { username }, next, loopbackContext())).toEqual({
    outcome: 'accepted',
  });
  expect(await connector.verify(self(), { username }, current, loopbackContext())).toMatchObject({
    outcome: 'refused',
  });
});

test('the same after a rotation by an administrator, which needs no current password', async () => {
  expect(await rotate(byAdmin(), { current: undefined, admin: server.admin })).toEqual({
    outcome: 'applied',
  });
  expect(await accepted()).toEqual([false, true]);
});

test('every printable password and awkward name is set exactly as it is', async () => {
  const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');
  for (next of [
    printable.slice(1),
    `a${printable}b`,
    "''",
    "\\'",
    '\\',
    '"',
    '`$(id)`',
    '%s%n',
    "x'; DROP USER root; --",
  ]) {
    expect([next, await rotate(byAdmin(), { admin: server.admin })]).toEqual([next, { outcome: 'applied' }]);
    expect([next, await server.accepts(username, next)]).toEqual([next, true]);
    expect(await rotate(self(), { current: next, next: current })).toEqual({ outcome: 'applied' });
  }
});

test("the server's log of all statements contains no clear password", async () => {
  await rotate(self());
  expect(server.generalLog()).toContain(nativePasswordHash(next));
  expect(server.generalLog()).not.toContain(next.slice(0, 20));
});

test('a worker that may no longer change anything sends nothing', async () => {
  const ctx = loopbackContext({ mayChange: () => 0 });
  for (const config of [self(), byAdmin()]) {
    expect(await rotate(config, { admin: server.admin }, ctx)).toMatchObject({
      outcome: 'refused',
      kind: 'unreachable',
    });
  }
  expect(await accepted()).toEqual([true, false]);
});

describe('a refusal leaves the old password in place', () => {
  test.each<[string, string, () => Promise<object>]>([
    ['a wrong current password', 'authentication', () => rotate(self(), { current: 'wrong' })],
    [
      'a wrong administrator password',
      'authentication',
      () => rotate(byAdmin(), { admin: { ...server.admin, password: 'wrong' } }),
    ],
    ['no administrator', 'permission', () => rotate(byAdmin())],
    ['a new password outside ASCII', 'policy', () => rotate(self(), { next: 'pässword' })],
    [
      'a closed port',
      'unreachable',
      async () => {
        await proxy.setMode({ kind: 'refuse' });
        return rotate(self());
      },
    ],
    [
      'a reset before the change was sent',
      'unreachable',
      async () => {
        await proxy.setMode({ kind: 'reset', afterMarker: 'CURRENT_USER' });
        return rotate(self());
      },
    ],
    [
      'an administrator without the permission',
      'permission',
      async () => {
        await server.createUser(`weak${username}`, current);
        return rotate(byAdmin(), { admin: { username: `weak${username}`, password: current } });
      },
    ],
    [
      'a name with several hosts, without accountHost',
      'permission',
      async () => {
        await server.createUser(username, current, '10.0.0.1');
        return rotate(byAdmin(), { admin: server.admin });
      },
    ],
    [
      'a host part that the server does not have',
      'permission',
      () => rotate({ ...byAdmin(), accountHost: '10.9.9.9' }, { admin: server.admin }),
    ],
    [
      'a server that is read-only',
      'not_now',
      async () => {
        await server.sql(`SET GLOBAL read_only = 1`);
        try {
          return await rotate(self());
        } finally {
          await server.sql(`SET GLOBAL read_only = 0`);
        }
      },
    ],
  ])('%s: %s', async (_what, kind, attempt) => {
    const result = await attempt();
    expect(result).toMatchObject({ outcome: 'refused', kind });
    expect(JSON.stringify(result)).not.toContain(next.slice(0, 20));
    expect(await accepted()).toEqual([true, false]);
    // A refused statement must not log it either.
    expect(server.generalLog()).not.toContain(next.slice(0, 20));
  });

  test('an account that does not exist: not possible', async () => {
    username = 'absent';
    expect(await rotate(byAdmin(), { admin: server.admin })).toMatchObject({
      outcome: 'refused',
      kind: 'not_possible',
    });
  });

  test('only the account with the given host is changed', async () => {
    await server.createUser(username, current, '127.0.0.%');
    expect(await rotate({ ...byAdmin(), accountHost: '127.0.0.%' }, { admin: server.admin })).toEqual({
      outcome: 'applied',
    });
    expect(await accepted()).toEqual([false, true]);
    await server.sql(`DROP USER ${mysql.escape(username)}@'127.0.0.%'`);
    expect(await accepted()).toEqual([true, false]);
  });

  test('errors of a policy and temporary errors have their kinds', () => {
    const kinds = [1819, 3638, 1205, 1213, 1226, 1836, 1227, 1396].map(
      (errno) => changeRefusal({ errno, sqlMessage: '' }).kind,
    );
    expect(kinds).toEqual([
      'policy',
      'policy',
      'not_now',
      'not_now',
      'not_now',
      'not_now',
      'permission',
      'permission',
    ]);
  });
});

describe('ambiguous, although the target has changed', () => {
  test('the connection is reset after the change was sent', async () => {
    await proxy.setMode({ kind: 'reset', afterMarker: 'SET PASSWORD' });
    expect(await rotate(self())).toMatchObject({ outcome: 'ambiguous' });
    await expect.poll(accepted).toEqual([false, true]);
  });
  test('the answer is lost', async () => {
    await proxy.setMode({ kind: 'blackhole', afterMarker: 'SET PASSWORD' });
    const before = proxy.faults();
    const isLost = () => proxy.faults() > before;
    expect(await givingUpWhen(isLost, (ctx) => rotate(self(), {}, ctx))).toMatchObject({
      outcome: 'ambiguous',
    });
    await expect.poll(accepted).toEqual([false, true]);
  });
});
