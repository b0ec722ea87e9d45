import { randomBytes } from 'node:crypto';
import {
  type PlayedAccount,
  type PlayedActiveDirectory,
  startActiveDirectory,
  windowsTicks,
} from '@claviger/targets';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RotationSecrets } from '../connector.ts';
import { connectorFor } from '../registry.ts';
import { loopbackContext } from '../testing-context.ts';

const connector = connectorFor('ldap');
const newPassword = () => `${randomBytes(15).toString('base64url')}x9`;
let server: PlayedActiveDirectory;
let name: string;
let current: string;
let next: string;

beforeAll(async () => {
  server = await startActiveDirectory();
});
afterAll(() => server?.[Symbol.asyncDispose]());
beforeEach(() => {
  name = `ann${randomBytes(4).toString('hex')}`;
  current = newPassword();
  next = newPassword();
  server.setMinimumAge(0);
});

const self = (more: object = {}) => ({
  host: '127.0.0.1',
  port: server.port,
  tls: { mode: 'pinned', certificate: server.certificate },
  passwordChange: 'unicodePwd',
  loginName: '{username}@corp.example',
  nameAttribute: 'sAMAccountName',
  baseDn: server.baseDn,
  ...more,
});
const account = (attributes: Readonly<Record<string, string>> = {}): PlayedAccount =>
  server.createAccount(name, current, attributes);
const rotate = (secrets: Partial<RotationSecrets> = {}, username = name) =>
  connector.rotate(
    self(secrets.admin === undefined ? {} : { rotateAs: 'admin' }),
    { username },
    { current, next, ...secrets },
    loopbackContext(),
  );
const verify = (secret: string, username = name) =>
  connector.verify(self(), { username }, secret, loopbackContext());
const past = windowsTicks(new Date(Date.now() - 86_400_000));

test('a name with or without its domain is the same account; a name with another domain is refused', async () => {
  const played = account();
  for (const username of [name, `${name}@corp.example`, `CORP\\${name}`, `corp\\${name.toUpperCase()}`]) {
    expect(await verify(current, username)).toEqual({ outcome: 'accepted' });
    next = newPassword();
    expect(await rotate({}, username)).toEqual({ outcome: 'applied' });
    current = next;
    next = newPassword();
    expect(await rotate({ admin: server.admin }, username)).toEqual({ outcome: 'applied' });
    expect(played.password).toBe(next);
    current = next;
  }
  for (const username of [`OTHER\\${name}`, `${name}@other.example`]) {
    expect(await verify(current, username)).toMatchObject({ outcome: 'refused' });
    expect(await rotate({ admin: server.admin }, username)).toMatchObject({
      outcome: 'refused',
      kind: 'permission',
    });
  }
  expect(played.password).toBe(current);
});

test('a name with another domain than the account logs in by its user principal name', async () => {
  const played = account({ userPrincipalName: `${name}@mail.example` });
  expect(await rotate({}, `${name}@mail.example`)).toEqual({ outcome: 'applied' });
  expect(played.password).toBe(next);
});

const states: readonly (readonly [string, Readonly<Record<string, string>>, string, string, string])[] = [
  ['disabled', { userAccountControl: '514' }, 'not_possible', 'disabled', 'Enable-ADAccount'],
  ['expired', { accountExpires: past }, 'not_possible', 'expired', 'Set-ADAccountExpiration'],
  [
    'locked',
    { 'msDS-User-Account-Control-Computed': '16', lockoutTime: past },
    'not_possible',
    'locked',
    'Unlock-ADAccount',
  ],
  ['to be changed', { pwdLastSet: '0' }, 'not_possible', 'must', 'ChangePasswordAtLogon'],
];

describe.each(states)('an account that is %s', (_what, attributes, kind, said, hint) => {
  const refused = { kind, hint: expect.stringContaining(hint) };
  test('is not verified and not changed; after a disclosure it gets a new password and keeps its state', async () => {
    const played = account(attributes);
    const before = { ...played.attributes };
    expect(await verify(current)).toMatchObject({
      outcome: 'unknown',
      ...refused,
      reason: expect.stringContaining(said),
    });
    expect(await rotate()).toMatchObject({ outcome: 'refused', ...refused });
    expect(await rotate({ admin: server.admin })).toMatchObject({ outcome: 'refused', ...refused });
    expect(played.password).toBe(current);
    expect(await rotate({ admin: server.admin, evenIfBlocked: true })).toMatchObject({
      outcome: 'applied',
      blocked: { reason: expect.stringContaining(said), hint: expect.stringContaining(hint) },
    });
    expect(played.password).toBe(next);
    const { pwdLastSet: _is, ...after } = played.attributes;
    const { pwdLastSet, ...others } = before;
    expect(after).toEqual(others);
    expect(_is === '0').toBe(pwdLastSet === '0');
  });
});

test.each([
  ['530', 'not_now', 'logonHours'],
  ['531', 'not_possible', 'LogonWorkstations'],
  ['532', 'not_possible', 'rotateAs admin'],
  ['52f', 'not_possible', 'policy'],
  ['569', 'not_possible', 'network'],
  ['8009030c', 'protocol', 'Windows error code'],
])('a login that is refused with data %s is %s', async (data, kind, hint) => {
  account({ bindData: data });
  expect(await verify(current)).toMatchObject({
    outcome: 'unknown',
    kind,
    hint: expect.stringContaining(hint),
  });
});

test('a wrong password and a name that does not exist are refused', async () => {
  account();
  expect(await verify('wrong')).toMatchObject({ outcome: 'refused' });
  expect(await verify(current, `${name}x`)).toMatchObject({ outcome: 'refused' });
});

test('an expired password is set by an administrator', async () => {
  const played = account({ bindData: '532', 'msDS-User-Account-Control-Computed': String(0x80_0000) });
  expect(await rotate({ admin: server.admin })).toEqual({ outcome: 'applied' });
  expect(played.password).toBe(next);
});

test('an ended lock, and "must change" of a password that never expires, do not block an account', async () => {
  account({ lockoutTime: past });
  expect(await rotate({ admin: server.admin })).toEqual({ outcome: 'applied' });
  name = `${name}b`;
  account({ pwdLastSet: '0', userAccountControl: String(512 + 0x1_0000) });
  expect(await rotate({ admin: server.admin })).toEqual({ outcome: 'applied' });
});

test('a password that violates the policy: policy; a minimum age: not now', async () => {
  const played = account({ pwdLastSet: past });
  expect(await rotate({ next: 'aB3!' })).toMatchObject({
    outcome: 'refused',
    kind: 'policy',
    hint: expect.stringContaining('Get-ADUserResultantPasswordPolicy'),
  });
  server.setMinimumAge(7 * 86_400);
  expect(await rotate()).toMatchObject({
    outcome: 'refused',
    kind: 'not_now',
    hint: expect.stringContaining('minimum age'),
  });
  expect(await rotate({ admin: server.admin })).toEqual({ outcome: 'applied' });
  expect(played.password).toBe(next);
});

test('the error names the permission that an administrator lacks to reset passwords', async () => {
  account();
  const weak = { username: `weak${name}`, password: newPassword() };
  server.createAccount(weak.username, weak.password);
  expect(await rotate({ admin: weak })).toMatchObject({
    outcome: 'refused',
    kind: 'permission',
    hint: expect.stringContaining('Reset password'),
  });
});
