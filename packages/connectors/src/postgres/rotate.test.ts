import { randomBytes } from 'node:crypto';
import {
  type FaultyProxy,
  type PostgresTarget,
  startFaultyProxy,
  startPostgresTarget,
} from '@claviger/targets';
import { escapeIdentifier } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectorFor } from '../registry.ts';
import { givingUpWhen, loopbackContext } from '../testing-context.ts';

const connector = connectorFor('postgres');
// The server's password check requires more than letters.
const newPassword = () => `${randomBytes(18).toString('base64url')}-7`;
let server: PostgresTarget;
let proxy: FaultyProxy;
let username: string;
let current: string;
let next: string;

beforeAll(async () => {
  server = await startPostgresTarget({ passwordCheck: true });
  proxy = await startFaultyProxy(server);
});
afterAll(async () => {
  await proxy?.stop();
  await server?.stop();
});
beforeEach(async () => {
  await proxy.setMode({ kind: 'ok' });
  username = `Role "${randomBytes(4).toString('hex')}"; --'`;
  current = newPassword();
  next = newPassword();
  await server.createRole(username, current);
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

test("the server's log of all statements contains no clear password", async () => {
  await rotate(self());
  // The log is written separately and may arrive after the answer.
  await expect.poll(() => server.log()).toContain(`ALTER ROLE ${escapeIdentifier(username)}`);
  expect(server.log()).not.toContain(next);
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
        await proxy.setMode({ kind: 'reset', afterMarker: 'session_user' });
        return rotate(self());
      },
    ],
    [
      'a server that refuses changes by this role',
      'permission',
      async () => {
        await server.refuseChangesBy(username);
        return rotate(self());
      },
    ],
    [
      'an administrator without the permission',
      'permission',
      async () => {
        await server.createRole(`weak-${username}`, current);
        return rotate(byAdmin(), { admin: { username: `weak-${username}`, password: current } });
      },
    ],
  ])('%s: %s', async (_what, kind, attempt) => {
    expect(await attempt()).toMatchObject({ outcome: 'refused', kind });
    expect(await accepted()).toEqual([true, false]);
  });

  test("the server's own password check: policy", async () => {
    username = `same-${randomBytes(6).toString('hex')}`;
    await server.createRole(username, current);
    expect(await rotate(self(), { next: username })).toMatchObject({ outcome: 'refused', kind: 'policy' });
    expect(await server.accepts(username, current)).toBe(true);
  });

  test('a role that does not exist: not possible', async () => {
    username = 'absent';
    expect(await rotate(byAdmin(), { admin: server.admin })).toMatchObject({
      outcome: 'refused',
      kind: 'not_possible',
      hint: expect.stringContaining('CREATE ROLE'),
    });
  });

  test('a name that the server would truncate to the name of another role', async () => {
    const short = 'r'.repeat(63);
    await server.createRole(short, current);
    username = `${short}r`;
    expect(await rotate(byAdmin(), { admin: server.admin })).toMatchObject({ outcome: 'refused' });
    expect(await server.accepts(short, current)).toBe(true);
  });
});

describe('ambiguous, although the target has changed', () => {
  test('the connection is reset after the change was sent', async () => {
    await proxy.setMode({ kind: 'reset', afterMarker: 'ALTER ROLE' });
    expect(await rotate(self())).toMatchObject({ outcome: 'ambiguous' });
    await expect.poll(accepted).toEqual([false, true]);
  });
  test('the answer is lost', async () => {
    await proxy.setMode({ kind: 'blackhole', afterMarker: 'ALTER ROLE' });
    const before = proxy.faults();
    const isLost = () => proxy.faults() > before;
    expect(await givingUpWhen(isLost, (ctx) => rotate(self(), {}, ctx))).toMatchObject({
      outcome: 'ambiguous',
    });
    await expect.poll(accepted).toEqual([false, true]);
  });
});
