import { randomBytes } from 'node:crypto';
import {
  type FaultyProxy,
  type SshAccount,
  type SshTarget,
  startFaultyProxy,
  startSshTarget,
} from '@claviger/targets';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectorFor } from '../registry.ts';
import { givingUpWhen, loopbackContext } from '../testing-context.ts';

const connector = connectorFor('ssh');
let server: SshTarget;
let proxy: FaultyProxy;
let admin: SshAccount;
let account: SshAccount;
let next: string;

beforeAll(async () => {
  server = await startSshTarget({ ownEtc: true });
  proxy = await startFaultyProxy(server);
  admin = await server.createAccount({ superuser: true });
});
afterAll(async () => {
  await proxy?.stop();
  await server?.stop();
});
beforeEach(async () => {
  await proxy.setMode({ kind: 'ok' });
  account = await server.createAccount();
  next = `${randomBytes(15).toString('base64url')}:$'"\\ %x9`;
});

const self = () => ({ host: '127.0.0.1', port: proxy.port, hostKeys: [server.hostKeyFingerprint] });
const byAdmin = (privilege = 'root') => ({ ...self(), rotateAs: 'admin', privilege });
const rotate = (config: object, secrets: object = {}, ctx = loopbackContext()) =>
  connector.rotate(
    config,
    { username: account.username },
    { current: account.password, next, ...secrets },
    ctx,
  );
const accepted = async () => [
  await server.accepts(account.username, account.password),
  await server.accepts(account.username, next),
];

test('after a rotation by the account itself the old password is refused and the new one accepted', async () => {
  expect(await rotate(self())).toEqual({ outcome: 'applied' });
  expect(await accepted()).toEqual([false, true]);
  const { username } = account;
  expect(await connector.verify(self(), { username }, next, loopbackContext())).toEqual({
    outcome: 'accepted',
  });
});

test('the same after a rotation by an administrator, which needs no current password', async () => {
  expect(await rotate(byAdmin(), { current: undefined, admin })).toEqual({ outcome: 'applied' });
  expect(await accepted()).toEqual([false, true]);
});

test.each(['root', 'self'])('a worker that may no longer change anything sends nothing: %s', async (by) => {
  const config = by === 'self' ? self() : byAdmin(by);
  let asked = 0;
  const ctx = loopbackContext({
    mayChange: () => {
      asked += 1;
      return 0;
    },
  });
  expect(await rotate(config, { admin }, ctx)).toMatchObject({ outcome: 'refused', kind: 'unreachable' });
  expect(asked).toBe(1);
  expect(await accepted()).toEqual([true, false]);
});

describe('a refusal leaves the old password in place', () => {
  test.each<[string, string, () => Promise<object>]>([
    ['a wrong current password', 'authentication', () => rotate(self(), { current: 'wrong' })],
    [
      'a wrong administrator password',
      'authentication',
      () => rotate(byAdmin(), { admin: { ...admin, password: 'wrong' } }),
    ],
    ['an administrator who is not root', 'permission', () => rotate(byAdmin(), { admin: account })],
    ['an administrator without sudo', 'permission', () => rotate(byAdmin('sudo'), { admin: account })],
    ['no administrator', 'permission', () => rotate(byAdmin())],
    ['a new password that is too short for the host', 'policy', () => rotate(self(), { next: 'aB3' })],
    ['a new password with a line break', 'policy', () => rotate(byAdmin(), { admin, next: 'x\nroot:y' })],
    ['the current password again', 'policy', () => rotate(self(), { next: account.password })],
    [
      'a minimum age of passwords',
      'not_now',
      async () => {
        await server.refuseChangesBy(account.username);
        return rotate(self());
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
      'a host whose key is not the pinned one',
      'permission',
      () => rotate({ ...self(), hostKeys: [`SHA256:${'A'.repeat(43)}`] }),
    ],
    [
      'a reset after the login, before the change was sent',
      'unreachable',
      async () => {
        await proxy.setMode({
          kind: 'reset',
          when: () => server.log().includes(`Accepted password for ${account.username} `),
        });
        return rotate(self());
      },
    ],
  ])('%s: %s', async (_what, kind, attempt) => {
    const before = server.passwordMark(account.username);
    const result = await attempt();
    expect(result).toMatchObject({ outcome: 'refused', kind });
    expect(JSON.stringify(result)).not.toContain(account.password);
    await proxy.setMode({ kind: 'ok' });
    expect(await server.accepts(account.username, account.password)).toBe(true);
    // The mark also contains the minimum age, which one of these cases sets.
    expect(server.passwordMark(account.username)?.split(':')[1]).toBe(before?.split(':')[1]);
  });

  test('an account that does not exist: permission', async () => {
    account = { ...account, username: 'clv-absent' };
    expect(await rotate(byAdmin(), { admin })).toMatchObject({ outcome: 'refused', kind: 'permission' });
  });

  test.each(['a:b', 'root\nroot', '-x', '$(id)'])('the account name %j is never sent', async (username) => {
    const result = await connector.rotate(byAdmin(), { username }, { next, admin }, loopbackContext());
    expect(result).toMatchObject({ outcome: 'refused', kind: 'permission' });
  });
});

describe('ambiguous, although the host has changed the password', () => {
  const changed = () => {
    const before = server.passwordMark(account.username);
    return () => server.passwordMark(account.username) !== before;
  };
  test.each([
    ['by the account itself', self, () => ({})],
    ['by an administrator', byAdmin, () => ({ admin })],
  ])('the connection is reset between the change and its answer: %s', async (_who, config, secrets) => {
    await proxy.setMode({ kind: 'reset', when: changed() });
    expect(await rotate(config(), secrets())).toMatchObject({ outcome: 'ambiguous' });
    await proxy.setMode({ kind: 'ok' });
    expect(await accepted()).toEqual([false, true]);
  });
  test('the answer is lost', async () => {
    await proxy.setMode({ kind: 'blackhole', when: changed() });
    const before = proxy.faults();
    const isLost = () => proxy.faults() > before;
    expect(await givingUpWhen(isLost, (ctx) => rotate(self(), {}, ctx))).toMatchObject({
      outcome: 'ambiguous',
    });
    expect(await accepted()).toEqual([false, true]);
  });
});
