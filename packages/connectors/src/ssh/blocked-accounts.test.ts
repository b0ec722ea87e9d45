import { once } from 'node:events';
import { connect } from 'node:net';
import { mayMount, type SshAccount, type SshTarget, startSshTarget } from '@claviger/targets';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RotationSecrets } from '../connector.ts';
import { connectorFor } from '../registry.ts';
import { loopbackContext } from '../testing-context.ts';

const connector = connectorFor('ssh');
const next = 'Next-Horse-8:$\'"\\ %x9';
let server: SshTarget;
let root: SshAccount;

const possible = mayMount();
if (!possible)
  console.warn(
    'NOT TESTED: SSH accounts that cannot log in. This account may not mount: run the tests as root.',
  );

beforeAll(async () => {
  if (!possible) return;
  server = await startSshTarget({
    ownEtc: true,
    settings: [
      'MaxStartups 10',
      'Match User root\n  PermitRootLogin prohibit-password',
      'Match User clv-key\n  PasswordAuthentication no\n  KbdInteractiveAuthentication no',
      'Match User clv-two\n  AuthenticationMethods publickey,password',
      'Match User clv-denied\n  DenyUsers clv-d*',
      'Match User clv-unlisted\n  AllowUsers other clv-?',
      'Match User clv-group\n  DenyGroups clv-gr*',
      'Match User clv-asked-*\n  PasswordAuthentication no',
    ],
  });
  root = await server.createAccount({ superuser: true });
});
afterAll(() => server?.stop());
beforeEach(({ skip }) => skip(!possible));

const self = () => ({ host: '127.0.0.1', port: server.port, hostKeys: [server.hostKeyFingerprint] });
const byAdmin = (privilege = 'root') => ({ ...self(), rotateAs: 'admin', privilege });
const verify = ({ username, password }: SshAccount) =>
  connector.verify(self(), { username }, password, loopbackContext());
const rotateSelf = ({ username, password }: SshAccount, secret = next) =>
  connector.rotate(self(), { username }, { current: password, next: secret }, loopbackContext());
const rotate = ({ username }: SshAccount, secrets: Partial<RotationSecrets> = {}, config = byAdmin()) =>
  connector.rotate(config, { username }, { admin: root, next, ...secrets }, loopbackContext());
/** The fields of shadow: name, hash, day of the last change, and the ages. */
const shadow = ({ username }: SshAccount) => server.passwordMark(username)?.split(':') ?? [];
const chage = (...args: string[]) => server.run('chage', args);

interface Case {
  readonly what: string;
  /** Puts the account into this state. */
  readonly block: (account: SshAccount) => Promise<unknown>;
  readonly name?: string;
  readonly verified: object;
  readonly hint: string;
}

const closed = { outcome: 'unknown', kind: 'not_possible' };
const cases: readonly Case[] = [
  {
    what: 'locked by usermod -L',
    block: ({ username }) => server.run('usermod', ['-L', username]),
    verified: { outcome: 'refused', hint: expect.stringContaining('passwd -S NAME') },
    hint: 'passwd -u clv-',
  },
  {
    what: 'locked by passwd -l, and expired',
    block: async ({ username }) => {
      await server.run('passwd', ['-l', username]);
      await chage('-E', '2020-01-31', username);
    },
    verified: { outcome: 'refused' },
    hint: 'passwd -u clv-',
  },
  {
    what: 'expired',
    block: ({ username }) => chage('-E', '2020-01-31', username),
    verified: {
      ...closed,
      reason: expect.stringContaining('expired'),
      hint: expect.stringContaining('chage -E -1'),
    },
    hint: 'chage -E -1 clv-',
  },
  {
    what: 'inactive',
    block: ({ username }) => chage('-d', '2020-01-31', '-M', '30', '-I', '30', username),
    verified: { ...closed, hint: expect.stringContaining('chage -I -1') },
    hint: 'chage -I -1 clv-',
  },
  {
    what: 'without logins by password',
    block: async () => {},
    name: 'clv-key',
    verified: { ...closed, hint: expect.stringContaining('PasswordAuthentication yes') },
    hint: 'PasswordAuthentication yes',
  },
  {
    what: 'with more than a password to log in',
    block: async () => {},
    name: 'clv-two',
    verified: closed,
    hint: 'AuthenticationMethods any',
  },
  {
    what: 'in DenyUsers',
    block: async () => {},
    name: 'clv-denied',
    verified: { outcome: 'refused', hint: expect.stringContaining('DenyUsers') },
    hint: 'remove clv-denied from DenyUsers',
  },
  {
    what: 'not in AllowUsers',
    block: async () => {},
    name: 'clv-unlisted',
    verified: { outcome: 'refused' },
    hint: 'add clv-unlisted to AllowUsers',
  },
  {
    what: 'of a group in DenyGroups',
    block: async () => {},
    name: 'clv-group',
    verified: { outcome: 'refused' },
    hint: 'DenyGroups',
  },
];

describe.each(cases)('an account that is $what', ({ block, name, verified, hint }) => {
  test('keeps its password and is recognised at a login; after a disclosure it gets a new password and stays blocked', async () => {
    const account = await server.createAccount(name === undefined ? {} : { name });
    await block(account);
    expect(await verify(account)).toMatchObject(verified);
    const before = shadow(account);
    expect(await rotate(account)).toMatchObject({
      outcome: 'refused',
      kind: 'not_possible',
      hint: expect.stringContaining(hint),
    });
    expect(shadow(account)).toEqual(before);
    expect(await rotate(account, { evenIfBlocked: true })).toMatchObject({
      outcome: 'applied',
      blocked: { hint: expect.stringContaining(hint) },
    });
    const after = shadow(account);
    expect(after[1]).not.toBe(before[1]);
    expect(after[1]?.startsWith('!')).toBe(before[1]?.startsWith('!'));
    // The day of the last change may differ, except for an account that is inactive because of it.
    const kept = before[6] === '' ? 3 : 2;
    expect(after.slice(kept)).toEqual(before.slice(kept));
  });
});

test('a rotation by an administrator distinguishes prohibit-password of root from a wrong password', async () => {
  await server.run('chpasswd', [], { input: 'root:Correct-Horse-7\n' });
  const account = { username: 'root', password: 'Correct-Horse-7' };
  expect(await verify(account)).toMatchObject({
    outcome: 'refused',
    hint: expect.stringContaining('PermitRootLogin'),
  });
  const before = shadow(account);
  expect(await rotate(account)).toMatchObject({
    outcome: 'refused',
    kind: 'not_possible',
    hint: expect.stringContaining('PermitRootLogin yes'),
  });
  expect(shadow(account)).toEqual(before);
});

test('a locked account that was rotated accepts the new password once it is unlocked', async () => {
  const account = await server.createAccount();
  await server.run('usermod', ['-L', account.username]);
  await rotate(account, { evenIfBlocked: true });
  await server.run('usermod', ['-U', account.username]);
  expect(await server.accepts(account.username, next)).toBe(true);
});

describe('a password that must be changed at the next login', () => {
  test('is verified by a login, must still be changed after an administrator set it, and is changed by the account', async () => {
    const account = await server.createAccount();
    await chage('-d', '0', account.username);
    expect(await verify(account)).toEqual({ outcome: 'accepted' });
    expect(await rotate(account)).toEqual({ outcome: 'applied' });
    expect(shadow(account)[2]).toBe('0');
    const given = { ...account, password: next };
    expect(await verify(given)).toEqual({ outcome: 'accepted' });
    expect(await rotateSelf(given, 'Third-Horse-9')).toEqual({ outcome: 'applied' });
    expect(shadow(account)[2]).not.toBe('0');
    expect(await server.accepts(account.username, 'Third-Horse-9')).toBe(true);
  });

  test('is verified on a host with keyboard-interactive logins, where a rotation is refused with a hint', async () => {
    const account = await server.createAccount({ name: 'clv-asked-1' });
    await chage('-d', '0', account.username);
    const before = shadow(account);
    expect(await verify(account)).toEqual({ outcome: 'accepted' });
    expect(await rotateSelf(account)).toMatchObject({
      outcome: 'refused',
      kind: 'not_possible',
      hint: expect.stringContaining("rotateAs: 'admin'"),
    });
    expect(shadow(account)).toEqual(before);
  });
});

describe('a refusal of passwd has its kind', () => {
  test('a minimum age: not now', async () => {
    const account = await server.createAccount();
    await server.refuseChangesBy(account.username);
    const before = shadow(account);
    expect(await rotateSelf(account)).toMatchObject({
      outcome: 'refused',
      kind: 'not_now',
      hint: expect.stringContaining('chage -m 0'),
    });
    expect(shadow(account)).toEqual(before);
  });

  test('a password that was used before: policy', async () => {
    await server.writeEtc(
      'pam.d/passwd',
      'password required pam_pwhistory.so remember=5\npassword required pam_unix.so use_authtok nodelay\n',
    );
    const account = await server.createAccount();
    expect(await rotateSelf(account)).toEqual({ outcome: 'applied' });
    expect(await rotateSelf({ ...account, password: next }, account.password)).toMatchObject({
      outcome: 'refused',
      kind: 'policy',
      reason: expect.stringMatching(/already used/i),
    });
  });
});

test('a lock after failed logins is reported if the host shows it, without another attempt', async () => {
  const account = await server.createAccount({ name: 'clv-asked-2' });
  const rule = 'dir=/etc/faillock deny=1 unlock_time=600';
  await server.writeEtc(
    'pam.d/common-auth',
    `auth required pam_faillock.so preauth ${rule}\nauth sufficient pam_unix.so nodelay\n` +
      `auth [default=die] pam_faillock.so authfail ${rule}\n`,
  );
  expect(await verify({ ...account, password: 'wrong' })).toMatchObject({ outcome: 'refused' });
  expect(await verify(account)).toMatchObject({
    outcome: 'unknown',
    kind: 'not_now',
    hint: expect.stringContaining('faillock --user NAME --reset'),
  });
});

describe('an administrator through sudo', () => {
  let admin: SshAccount;
  const allow = (commands: string) =>
    server.writeEtc('sudoers.d/clv', `${admin.username} ALL=(root) ${commands}\n`);
  const bySudo = (account: SshAccount, secrets: Partial<RotationSecrets> = {}) =>
    rotate(account, { admin, ...secrets }, byAdmin('sudo'));

  test.each([
    ['without a password', 'NOPASSWD: '],
    ['with a password', ''],
  ])(
    'needs permission for chpasswd only, %s; reads the state of an account if permitted',
    async (_how, tag) => {
      admin = await server.createAccount();
      const [account, locked] = [await server.createAccount(), await server.createAccount()];
      await server.run('usermod', ['-L', locked.username]);
      await allow(`${tag}/usr/sbin/chpasswd`);
      expect(await bySudo(account)).toEqual({ outcome: 'applied' });
      expect(await server.accepts(account.username, next)).toBe(true);
      await allow(`${tag}/usr/sbin/chpasswd, /usr/bin/passwd -S *, /usr/bin/chage -l *, /usr/bin/chage -d *`);
      const before = shadow(locked);
      expect(await bySudo(locked)).toMatchObject({ outcome: 'refused', kind: 'not_possible' });
      expect(shadow(locked)).toEqual(before);
      expect(await bySudo(locked, { evenIfBlocked: true })).toMatchObject({
        outcome: 'applied',
        blocked: {},
      });
      expect(shadow(locked)[1]).toMatch(/^!\$6\$/);
      await chage('-d', '0', account.username);
      expect(await bySudo(account, { next: 'Third-Horse-9' })).toEqual({ outcome: 'applied' });
      expect(shadow(account)[2]).toBe('0');
    },
  );

  test('without the sudo rule: permission, and the hint names the rule', async () => {
    const account = await server.createAccount();
    admin = await server.createAccount();
    await allow('/usr/bin/true');
    expect(await bySudo(account)).toMatchObject({
      outcome: 'refused',
      kind: 'permission',
      hint: expect.stringContaining('/usr/sbin/chpasswd'),
    });
  });

  test('a password that sudo refuses is sent once', async () => {
    const account = await server.createAccount();
    admin = await server.createAccount();
    await allow('/usr/sbin/chpasswd, /usr/bin/passwd -S *, /usr/bin/chage -l *');
    await server.writeEtc('count', 'echo tried >>/etc/tries\n');
    await server.writeEtc(
      'pam.d/sudo',
      'auth [conv_err=die default=ignore] pam_unix.so nodelay\n' +
        'auth optional pam_exec.so quiet seteuid /bin/sh /etc/count\nauth required pam_deny.so\n',
    );
    expect(await bySudo(account)).toMatchObject({ outcome: 'refused', kind: 'authentication' });
    // sudo itself asks again, and gets no answer.
    expect(await server.run('cat', ['/etc/tries'])).toBe('tried\n'.repeat(2));
  });
});

test('a host that accepts no logins for some time: not now, with its notice', async () => {
  const account = await server.createAccount();
  await server.writeEtc('nologin', 'New disks until noon\n');
  expect(await verify(account)).toMatchObject({
    outcome: 'unknown',
    kind: 'not_now',
    reason: expect.stringContaining('New disks until noon'),
    hint: expect.stringContaining('/etc/nologin'),
  });
  await server.writeEtc('nologin', '');
});

test('without PAM too, an expired password is changed, and a host in maintenance is: not now', async () => {
  await using plain = await startSshTarget({ ownEtc: true, settings: ['UsePAM no'], methods: ['password'] });
  const { username, password } = await plain.createAccount();
  const config = { ...self(), port: plain.port, hostKeys: [plain.hostKeyFingerprint] };
  const rotatePlain = (current: string, secret: string) =>
    connector.rotate(config, { username }, { current, next: secret }, loopbackContext());
  await plain.run('chage', ['-d', '0', username]);
  expect(await rotatePlain(password, next)).toEqual({ outcome: 'applied' });
  expect(await plain.accepts(username, next)).toBe(true);
  await plain.writeEtc('nologin', 'New disks until noon\n');
  expect(await rotatePlain(next, password)).toMatchObject({
    outcome: 'refused',
    kind: 'not_now',
    reason: expect.stringContaining('New disks until noon'),
  });
});

test('a server with too many unfinished logins: not now', async () => {
  const account = await server.createAccount();
  const logins = Array.from({ length: 10 }, () => connect(server.port, '127.0.0.1'));
  try {
    await Promise.all(logins.map((socket) => once(socket, 'data')));
    expect(await verify(account)).toMatchObject({
      outcome: 'unknown',
      kind: 'not_now',
      hint: expect.stringContaining('MaxStartups'),
    });
  } finally {
    for (const socket of logins) socket.destroy();
  }
});
