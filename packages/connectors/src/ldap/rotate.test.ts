import { randomBytes } from 'node:crypto';
import { type FaultyProxy, type LdapTarget, startFaultyProxy, startLdapTarget } from '@claviger/targets';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectorFor } from '../registry.ts';
import { givingUpWhen, loopbackContext } from '../testing-context.ts';

const connector = connectorFor('ldap');
const newPassword = () => `${randomBytes(15).toString('base64url')}'"\\ %x9`;
let server: LdapTarget;
let proxy: FaultyProxy;
let username: string;
let dn: string;
let current: string;
let next: string;

beforeAll(async () => {
  server = await startLdapTarget();
  proxy = await startFaultyProxy(server);
});
afterAll(async () => {
  await proxy?.stop();
  await server?.stop();
});
beforeEach(async () => {
  await proxy.setMode({ kind: 'ok' });
  username = `U,+"\\<>;=# ${randomBytes(4).toString('hex')}*)(`;
  current = newPassword();
  next = newPassword();
  dn = await server.createPerson(username, current);
});

const self = () => ({
  host: '127.0.0.1',
  port: proxy.port,
  tls: { mode: 'disable' },
  userDn: `uid={username},ou=people,${server.baseDn}`,
});
const byAdmin = () => ({ ...self(), rotateAs: 'admin' });
const rotate = (config: object, secrets: object = {}, ctx = loopbackContext()) =>
  connector.rotate(config, { username }, { current, next, ...secrets }, ctx);
const accepted = async () => [await server.accepts(dn, current), await server.accepts(dn, next)];

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

test('the same after a rotation by an administrator, by either kind of change', async () => {
  expect(await rotate(byAdmin(), { current: undefined, admin: server.admin })).toEqual({
    outcome: 'applied',
  });
  expect(await accepted()).toEqual([false, true]);
  const plain = { ...byAdmin(), passwordChange: 'userPassword' };
  expect(await rotate(plain, { current: undefined, next: `${next}.`, admin: server.admin })).toEqual({
    outcome: 'applied',
  });
  expect(await server.accepts(dn, `${next}.`)).toBe(true);
});

test('H-245 the user name may be the distinguished name itself, or a name that is searched after the login', async () => {
  const { userDn: _, ...plain } = self();
  expect(await connector.rotate(plain, { username: dn }, { current, next }, loopbackContext())).toEqual({
    outcome: 'applied',
  });
  const name = `searched${randomBytes(4).toString('hex')}`;
  dn = await server.createPerson(name, current);
  const searching = {
    ...plain,
    loginName: `uid={username},ou=people,${server.baseDn}`,
    baseDn: server.baseDn,
  };
  expect(await connector.rotate(searching, { username: name }, { current, next }, loopbackContext())).toEqual(
    {
      outcome: 'applied',
    },
  );
  expect(await accepted()).toEqual([false, true]);
  // A name with filter syntax finds no account.
  const admin = { ...searching, rotateAs: 'admin' };
  for (const hostile of ['*', '*)(uid=*', `${name})(cn=*`])
    expect(
      await connector.rotate(admin, { username: hostile }, { next, admin: server.admin }, loopbackContext()),
    ).toMatchObject({ outcome: 'refused', kind: 'permission' });
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
    [
      'an empty administrator password',
      'permission',
      () => rotate(byAdmin(), { admin: { ...server.admin, password: '' } }),
    ],
    ['no administrator', 'permission', () => rotate(byAdmin())],
    ['a new password outside ASCII', 'policy', () => rotate(self(), { next: 'pässword' })],
    ['a new password that is too short for the policy', 'policy', () => rotate(self(), { next: 'aB3' })],
    ['the current password again', 'policy', () => rotate(self(), { next: current })],
    [
      'a policy under which no account may change its own password',
      'permission',
      async () => {
        await server.setPolicy({ pwdAllowUserChange: 'FALSE' });
        try {
          return await rotate(self());
        } finally {
          await server.setPolicy({ pwdAllowUserChange: 'TRUE' });
        }
      },
    ],
    [
      'an administrator without the permission',
      'permission',
      async () => {
        const weak = await server.createPerson(`weak${randomBytes(4).toString('hex')}`, current);
        return rotate(byAdmin(), { admin: { username: weak, password: current } });
      },
    ],
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
        await proxy.setMode({ kind: 'reset', afterMarker: '1.3.6.1.4.1.4203.1.11.3' });
        return rotate(self());
      },
    ],
  ])('%s: %s', async (_what, kind, attempt) => {
    const result = await attempt();
    expect(result).toMatchObject({ outcome: 'refused', kind });
    expect(JSON.stringify(result)).not.toContain(next);
    expect(await accepted()).toEqual([true, false]);
  });

  test('an account that does not exist: permission', async () => {
    username = 'absent';
    expect(await rotate(byAdmin(), { admin: server.admin })).toMatchObject({
      outcome: 'refused',
      kind: 'permission',
    });
  });
});

describe('ambiguous, although the target has changed', () => {
  test('the connection is reset after the change was sent', async () => {
    await proxy.setMode({ kind: 'reset', afterMarker: '1.3.6.1.4.1.4203.1.11.1' });
    expect(await rotate(self())).toMatchObject({ outcome: 'ambiguous' });
    await expect.poll(accepted).toEqual([false, true]);
  });
  test('the answer is lost', async () => {
    await proxy.setMode({ kind: 'blackhole', afterMarker: '1.3.6.1.4.1.4203.1.11.1' });
    const before = proxy.faults();
    const isLost = () => proxy.faults() > before;
    expect(await givingUpWhen(isLost, (ctx) => rotate(self(), {}, ctx))).toMatchObject({
      outcome: 'ambiguous',
    });
    await expect.poll(accepted).toEqual([false, true]);
  });
});
