import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type LdapTarget, startLdapTarget } from '@claviger/targets';
import { Attribute, Change, Control } from 'ldapts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RotationSecrets } from '../connector.ts';
import { connectorFor } from '../registry.ts';
import { loopbackContext } from '../testing-context.ts';

const connector = connectorFor('ldap');
const newPassword = () => `${randomBytes(15).toString('base64url')}x9`;
const DATABASE = 'olcDatabase={1}mdb,cn=config';
const OVERLAY = `olcOverlay={0}ppolicy,${DATABASE}`;
const DEFAULTS = {
  pwdMinAge: '0',
  pwdInHistory: '2',
  pwdMaxAge: '0',
  pwdGraceAuthNLimit: '0',
  pwdLockout: 'FALSE',
  pwdLockoutDuration: '0',
  pwdMustChange: 'FALSE',
  pwdAllowUserChange: 'TRUE',
  pwdSafeModify: 'FALSE',
};
/** The control with which the administrator may write attributes that the server maintains. */
const RELAX = '1.3.6.1.4.1.4203.666.5.12';
const FOREVER = '000001010000Z';
let server: LdapTarget;
/** Has manage access to passwords and may write the flags. */
let operator: { username: string; password: string };
/** Has write access to passwords only. */
let writer: { username: string; password: string };
let username: string;
let dn: string;
let current: string;
let next: string;

const replacing = (values: Readonly<Record<string, string | readonly string[]>>) =>
  Object.entries(values).map(
    ([type, value]) =>
      new Change({
        operation: 'replace',
        modification: new Attribute({ type, values: [value].flat().filter((text) => text !== '') }),
      }),
  );
const configure = (entry: string, values: Readonly<Record<string, string | readonly string[]>>) =>
  server.asConfigAdmin((client) => client.modify(entry, replacing(values)));
const set = (values: Readonly<Record<string, string>>) =>
  server.asAdmin((client) => client.modify(dn, replacing(values), new Control(RELAX, { critical: true })));
const flags = () =>
  server.asAdmin(async (client) => {
    const attributes = ['pwdAccountLockedTime', 'pwdReset'];
    const [entry] = (await client.search(dn, { scope: 'base', attributes })).searchEntries;
    return { locked: entry?.pwdAccountLockedTime, reset: entry?.pwdReset };
  });

beforeAll(async () => {
  server = await startLdapTarget();
  const password = newPassword();
  operator = { username: await server.createPerson('operator', password), password };
  writer = { username: await server.createPerson('writer', password), password };
  await configure(DATABASE, {
    olcAccess: [
      `{0}to attrs=userPassword by dn.exact="${operator.username}" manage by dn.exact="${writer.username}" write by self write by anonymous auth by * none`,
      `{1}to attrs=pwdAccountLockedTime,pwdReset by dn.exact="${operator.username}" write by users read`,
      '{2}to * by users read by * none',
    ],
  });
  await configure(OVERLAY, { olcPPolicyUseLockout: 'TRUE' });
});
afterAll(() => server?.stop());
beforeEach(async () => {
  username = `svc-${randomBytes(4).toString('hex')}`;
  current = newPassword();
  next = newPassword();
  dn = await server.createPerson(username, current);
});
afterEach(() => server.setPolicy(DEFAULTS));

const self = (more: object = {}) => ({
  host: '127.0.0.1',
  port: server.port,
  tls: { mode: 'disable' },
  userDn: `uid={username},ou=people,${server.baseDn}`,
  ...more,
});
const byAdmin = (more: object = {}) => self({ rotateAs: 'admin', ...more });
const rotate = (config: object, secrets: Partial<RotationSecrets> = {}) =>
  connector.rotate(config, { username }, { current, next, ...secrets }, loopbackContext());
const verify = (secret: string, config: object = self()) =>
  connector.verify(config, { username }, secret, loopbackContext());
const accepted = async () => [await server.accepts(dn, current), await server.accepts(dn, next)];
const refused = (kind: string, hint: string) => ({
  outcome: 'refused',
  kind,
  hint: expect.stringContaining(hint),
});

describe('an account that changes its own password', () => {
  test('must wait for the minimum age, and cannot reuse a password of the history', async () => {
    expect(await rotate(self())).toEqual({ outcome: 'applied' });
    [current, next] = [next, current];
    expect(await rotate(self())).toMatchObject(refused('policy', 'pwdInHistory'));
    await server.setPolicy({ pwdMinAge: '3600' });
    next = newPassword();
    expect(await rotate(self())).toMatchObject(refused('not_now', 'pwdMinAge'));
    expect(await accepted()).toEqual([true, false]);
  });

  test('gets an error if the policy forbids it, or requires the current password too', async () => {
    await server.setPolicy({ pwdAllowUserChange: 'FALSE' });
    expect(await rotate(self())).toMatchObject(refused('permission', 'rotateAs admin'));
    await server.setPolicy({ pwdAllowUserChange: 'TRUE', pwdSafeModify: 'TRUE' });
    expect(await rotate(self({ passwordChange: 'userPassword' }))).toMatchObject(
      refused('permission', 'exop'),
    );
    expect(await accepted()).toEqual([true, false]);
    expect(await rotate(self())).toEqual({ outcome: 'applied' });
  });

  test('can do so if it must change it and may do nothing else', async () => {
    await server.setPolicy({ pwdMustChange: 'TRUE' });
    await set({ pwdReset: 'TRUE' });
    const searching = self({
      userDn: undefined,
      loginName: `uid={username},ou=people,${server.baseDn}`,
      baseDn: server.baseDn,
    });
    expect(await verify(current)).toEqual({ outcome: 'accepted' });
    expect(await rotate(searching)).toEqual({ outcome: 'applied' });
    expect(await accepted()).toEqual([false, true]);
    expect(await flags()).toEqual({ locked: [], reset: [] });
  });

  test('logs in with an expired password as long as it has grace logins', async () => {
    await server.setPolicy({ pwdMaxAge: '3600', pwdGraceAuthNLimit: '1' });
    await set({ pwdChangedTime: '20200101000000Z' });
    expect(await verify(current)).toEqual({ outcome: 'accepted' });
    expect(await verify(current)).toMatchObject({
      outcome: 'unknown',
      kind: 'not_possible',
      reason: expect.stringContaining('expired'),
      hint: expect.stringContaining('rotateAs admin'),
    });
    expect(await rotate(self())).toMatchObject(refused('not_possible', 'rotateAs admin'));
    await server.setPolicy({ pwdGraceAuthNLimit: '2' });
    expect(await rotate(self())).toEqual({ outcome: 'applied' });
    [current, next] = [next, newPassword()];
    await server.setPolicy({ pwdGraceAuthNLimit: '0' });
    await set({ pwdChangedTime: '20200101000000Z' });
    expect(await rotate(byAdmin(), { admin: operator })).toEqual({ outcome: 'applied' });
    expect(await verify(next)).toEqual({ outcome: 'accepted' });
  });
});

describe.each(['exop', 'userPassword'])('an administrator, by %s', (passwordChange) => {
  const admin = (more: object = {}) => byAdmin({ passwordChange, ...more });

  test('changes only the password, even if the policy requires a change after a reset', async () => {
    await server.setPolicy({ pwdMustChange: 'TRUE' });
    expect(await rotate(admin(), { admin: operator })).toEqual({ outcome: 'applied' });
    expect(await flags()).toEqual({ locked: [], reset: [] });
    await set({ pwdReset: 'TRUE' });
    [current, next] = [next, newPassword()];
    expect(await rotate(admin(), { admin: operator })).toEqual({ outcome: 'applied' });
    expect(await flags()).toEqual({ locked: [], reset: 'TRUE' });
    expect(await verify(next)).toEqual({ outcome: 'accepted' });
  });

  test('refuses a locked account; after a disclosure sets the password and keeps the account locked', async () => {
    await server.setPolicy({ pwdLockout: 'TRUE' });
    await set({ pwdAccountLockedTime: FOREVER });
    expect(await verify(current)).toMatchObject({
      outcome: 'unknown',
      kind: 'not_possible',
      hint: expect.stringContaining('pwdAccountLockedTime'),
    });
    expect(await rotate(admin(), { admin: operator })).toMatchObject(
      refused('not_possible', 'pwdAccountLockedTime'),
    );
    expect(await rotate(self())).toMatchObject(refused('not_possible', 'pwdAccountLockedTime'));
    expect(await rotate(admin(), { admin: operator, evenIfBlocked: true })).toEqual({
      outcome: 'applied',
      blocked: { reason: 'The account is locked.', hint: expect.stringContaining('pwdAccountLockedTime') },
    });
    expect(await flags()).toEqual({ locked: FOREVER, reset: [] });
    expect(await accepted()).toEqual([false, false]);
    await set({ pwdAccountLockedTime: '' });
    expect(await accepted()).toEqual([false, true]);
  });

  test('without permissions beyond the password is subject to the policy, and reports it', async () => {
    await server.setPolicy({ pwdSafeModify: 'TRUE' });
    expect(await rotate(admin(), { admin: writer })).toMatchObject(refused('permission', 'manage'));
    await server.setPolicy({ pwdSafeModify: 'FALSE' });
    expect(await rotate(admin(), { admin: writer })).toEqual({ outcome: 'applied' });
    await server.setPolicy({ pwdMinAge: '3600' });
    [current, next] = [next, newPassword()];
    expect(await rotate(admin(), { admin: writer })).toMatchObject(refused('not_now', 'pwdMinAge'));
    expect(await accepted()).toEqual([true, false]);
  });
});

test('a lock that ends by itself: not now; a rotation after a disclosure keeps the lock', async () => {
  await server.setPolicy({ pwdLockout: 'TRUE', pwdLockoutDuration: '999999999' });
  await set({ pwdAccountLockedTime: '20200101000000Z' });
  expect(await rotate(byAdmin(), { admin: operator })).toMatchObject(refused('not_now', 'Wait'));
  expect(await rotate(byAdmin(), { admin: operator, evenIfBlocked: true })).toMatchObject({
    outcome: 'applied',
    blocked: { reason: expect.stringContaining('seconds') },
  });
  expect(await flags()).toMatchObject({ locked: '20200101000000Z' });
});

test.each(['exop', 'userPassword'])(
  'an administrator who may not restore the lock of an account changes nothing, by %s',
  async (passwordChange) => {
    await server.setPolicy({ pwdLockout: 'TRUE' });
    await set({ pwdAccountLockedTime: FOREVER });
    const secrets = { admin: writer, evenIfBlocked: true };
    expect(await rotate(byAdmin({ passwordChange }), secrets)).toMatchObject(
      refused('permission', 'pwdAccountLockedTime'),
    );
    expect(await flags()).toMatchObject({ locked: FOREVER });
    await set({ pwdAccountLockedTime: '' });
    expect(await accepted()).toEqual([true, false]);
  },
);

test('a lock blocks only if the policy has lockout; start and end time of an account always block', async () => {
  await set({ pwdAccountLockedTime: FOREVER });
  expect(await rotate(byAdmin(), { admin: operator })).toEqual({ outcome: 'applied' });
  [current, next] = [next, newPassword()];
  await set({ pwdEndTime: '20200101000000Z' });
  expect(await rotate(byAdmin(), { admin: operator })).toMatchObject(refused('not_possible', 'pwdEndTime'));
  await set({ pwdEndTime: '', pwdStartTime: '21000101000000Z' });
  expect(await rotate(byAdmin(), { admin: operator })).toMatchObject(refused('not_now', 'pwdStartTime'));
});

test('a locked administrator is not reported as a locked account', async () => {
  await server.setPolicy({ pwdLockout: 'TRUE' });
  await set({ pwdAccountLockedTime: FOREVER });
  const admin = { username: dn, password: current };
  expect(await rotate(byAdmin(), { admin })).toMatchObject({
    ...refused('permission', 'pwdAccountLockedTime'),
    reason: expect.stringContaining('administrator'),
  });
});

test('a directory that hides its locks refuses the login, and the hint names where to check', async () => {
  await server.setPolicy({ pwdLockout: 'TRUE' });
  await set({ pwdAccountLockedTime: FOREVER });
  await configure(OVERLAY, { olcPPolicyUseLockout: 'FALSE' });
  try {
    expect(await verify(current)).toMatchObject({
      outcome: 'refused',
      hint: expect.stringContaining('olcPPolicyUseLockout'),
    });
  } finally {
    await configure(OVERLAY, { olcPPolicyUseLockout: 'TRUE' });
  }
});

describe('a server that refuses the operation', () => {
  const provider =
    '{0}rid=001 provider=ldap://127.0.0.1:1 bindmethod=simple searchbase="dc=claviger,dc=test"';
  const kinds: [string, string, object, object, string, string][] = [
    ['is read-only', DATABASE, { olcReadOnly: 'TRUE' }, { olcReadOnly: 'FALSE' }, 'not_now', 'olcReadOnly'],
    ['is a copy', DATABASE, { olcSyncrepl: provider }, { olcSyncrepl: '' }, 'permission', 'host'],
    [
      'refers to another',
      DATABASE,
      { olcSyncrepl: provider, olcUpdateRef: 'ldap://provider.invalid' },
      { olcUpdateRef: '', olcSyncrepl: '' },
      'permission',
      'Referrals are not followed',
    ],
    [
      'accepts no simple binds',
      'cn=config',
      { olcDisallows: 'bind_simple' },
      { olcDisallows: '' },
      'not_possible',
      'bind_simple',
    ],
    [
      'requires encryption',
      DATABASE,
      { olcSecurity: 'simple_bind=128' },
      { olcSecurity: 'simple_bind=0' },
      'permission',
      'tls',
    ],
  ];
  test.each(kinds)('because it %s', async (_what, entry, values, back, kind, hint) => {
    // This administrator is bound before the server refuses binds.
    await server.asConfigAdmin(async (client) => {
      await client.modify(entry, replacing(values as Record<string, string>));
      try {
        expect(await rotate(self())).toMatchObject(refused(kind, hint));
      } finally {
        await client.modify(entry, replacing(back as Record<string, string>));
      }
    });
    expect(await accepted()).toEqual([true, false]);
  });

  test('because a search exceeds its size limit', async () => {
    await configure(DATABASE, { olcSizeLimit: '1' });
    try {
      const config = self({ baseDn: server.baseDn });
      await expect(connector.discover(config, operator, loopbackContext())).rejects.toMatchObject({
        kind: 'permission',
        hint: expect.stringContaining('olcLimits'),
      });
      // One of two accounts with the same name must not be chosen.
      const twin = { objectClass: ['inetOrgPerson'], cn: username, sn: 'x', uid: username };
      await server.asAdmin((client) => client.add(`cn=${username},ou=people,${server.baseDn}`, twin));
      const found = byAdmin({ userDn: undefined, loginName: '{username}', baseDn: server.baseDn });
      expect(await rotate(found, { admin: operator })).toMatchObject(refused('permission', 'olcLimits'));
      expect(await accepted()).toEqual([true, false]);
    } finally {
      await configure(DATABASE, { olcSizeLimit: 'unlimited' });
    }
  });
});

test('the audit log of a directory contains a hash after a change by exop, and never the password', async () => {
  const log = await server.asConfigAdmin(async (client) => {
    const [database] = (await client.search(DATABASE, { scope: 'base' })).searchEntries;
    const path = `${database?.olcDbDirectory}/audit.ldif`;
    await client.modify('cn=module{0},cn=config', [
      new Change({
        operation: 'add',
        modification: new Attribute({ type: 'olcModuleLoad', values: ['auditlog'] }),
      }),
    ]);
    await client.add(`olcOverlay=auditlog,${DATABASE}`, {
      objectClass: ['olcOverlayConfig', 'olcAuditlogConfig'],
      olcOverlay: 'auditlog',
      olcAuditlogFile: path,
    });
    return path;
  });
  expect(await rotate(self())).toEqual({ outcome: 'applied' });
  const last = newPassword();
  expect(await rotate(byAdmin(), { admin: operator, next: last })).toEqual({ outcome: 'applied' });
  const written = await readFile(log, 'utf8');
  expect(written).toContain('userPassword:: ');
  for (const secret of [current, next, last])
    for (const form of [secret, Buffer.from(secret).toString('base64')]) {
      expect(written).not.toContain(form);
      expect(server.log()).not.toContain(form);
    }
});

test('names with @, a backslash and letters beyond ASCII log in and are rotated', async () => {
  for (const name of [
    `ann@corp.example-${username}`,
    `CORP\\ann-${username}`,
    `Jürgen-${username}`,
    `李-${username}`,
  ]) {
    [username, current, next] = [name, newPassword(), newPassword()];
    dn = await server.createPerson(username, current);
    expect(await verify(current)).toEqual({ outcome: 'accepted' });
    expect(await rotate(self())).toEqual({ outcome: 'applied' });
    const found = {
      userDn: undefined,
      loginName: dn.replace(/^uid=.*?,ou=/, 'uid={username},ou='),
      baseDn: server.baseDn,
    };
    if (!name.includes('\\')) expect(await verify(next, self(found))).toEqual({ outcome: 'accepted' });
    [current, next] = [next, newPassword()];
    expect(await rotate(byAdmin(found), { admin: operator })).toEqual({ outcome: 'applied' });
    expect(await accepted()).toEqual([false, true]);
  }
});
