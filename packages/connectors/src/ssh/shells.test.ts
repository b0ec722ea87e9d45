import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { mayMount, type SshAccount, type SshTarget, startSshTarget } from '@claviger/targets';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectorFor } from '../registry.ts';
import { givingUpWhen, loopbackContext } from '../testing-context.ts';

const connector = connectorFor('ssh');
const next = 'Next-Horse-8:$\'"\\ %x9';
let server: SshTarget;
let admin: SshAccount;

/**
 * Start-up files that print, in the language of each shell: lines that look like answers, marks and prompts,
 * on both streams, and the command itself.
 */
const lines =
  'echo 0; echo root; echo; echo "New password:"; echo "Retype new password:"; echo "a:x:0:0::/:/bin/sh"';
const noise: Readonly<Record<string, string>> = {
  '.bashrc': `${lines}\n${lines} >&2\necho "$BASH_EXECUTION_STRING"; set -v\ntrap '${lines}; sleep 20' EXIT\nprintf "Current password: "\n`,
  '.zshenv': `${lines}\nset -v\ntrap '${lines}' EXIT\nprintf "Current password: "\n`,
  '.cshrc': `${lines}\nset echo\nset verbose\n`,
  '.config/fish/config.fish': `${lines}\nset -g fish_trace 1\nprintf "Current password: "\n`,
};

const possible = mayMount();
if (!possible)
  console.warn('NOT TESTED: login shells of SSH hosts. This account may not mount: run the tests as root.');

beforeAll(async () => {
  if (!possible) return;
  server = await startSshTarget({
    ownEtc: true,
    settings: [
      'Banner /etc/issue.net',
      'Match User clv-forced\n  ForceCommand echo 0',
      'Match User clv-one\n  MaxSessions 1',
      'Match User clv-none\n  MaxSessions 0',
    ],
  });
  await server.writeEtc('issue.net', 'New password:\n');
  await server.writeEtc('ssh/sshrc', `cat >/dev/null <&-; ${lines}; printf "New password: "`);
  admin = await server.createAccount({ superuser: true, shell: '/bin/bash', files: noise });
});
afterAll(() => server?.stop());
beforeEach(({ skip }) => skip(!possible));

const self = () => ({ host: '127.0.0.1', port: server.port, hostKeys: [server.hostKeyFingerprint] });
const byAdmin = () => ({ ...self(), rotateAs: 'admin' });
const rotate = ({ username, password }: SshAccount, ctx = loopbackContext()) =>
  connector.rotate(self(), { username }, { current: password, next }, ctx);

describe('the output of a login shell does not count as an answer', () => {
  test.each(['sh', 'bash', 'rbash', 'zsh', 'tcsh', 'fish'])('%s', async (shell) => {
    const account = await server.createAccount({ shell: `/bin/${shell}`, files: noise });
    expect(await rotate(account)).toEqual({ outcome: 'applied' });
    expect(await server.accepts(account.username, next)).toBe(true);
  });

  test('an administrator with such a shell rotates a password and discovers the accounts', async () => {
    const { username } = await server.createAccount();
    const rotated = await connector.rotate(byAdmin(), { username }, { admin, next }, loopbackContext());
    expect(rotated).toEqual({ outcome: 'applied' });
    expect(await server.accepts(username, next)).toBe(true);
    const found = await connector.discover(byAdmin(), admin, loopbackContext());
    expect(found.map((account) => account.username)).toContain(username);
    expect(found.map((account) => account.username)).not.toContain('a');
  });

  test('the connector waits for a slow start-up file', async () => {
    const files = { '.bashrc': 'sleep 0.2' };
    expect(await rotate(await server.createAccount({ shell: '/bin/bash', files }))).toEqual({
      outcome: 'applied',
    });
  });

  test('a start-up file that never ends: nothing is sent, and the hint names what to check', async () => {
    const files = { '.bashrc': 'echo >~/waits; sleep 30' };
    const account = await server.createAccount({ shell: '/bin/bash', files });
    const waits = () => existsSync(join(account.home ?? '', 'waits'));
    const before = server.passwordMark(account.username);
    expect(await givingUpWhen(waits, (ctx) => rotate(account, ctx))).toMatchObject({
      outcome: 'refused',
      kind: 'unreachable',
      hint: expect.stringContaining("'ssh NAME@HOST true' must end at once"),
    });
    expect(server.passwordMark(account.username)).toBe(before);
  });
});

describe('a login that cannot run commands is reported, and the account keeps its password', () => {
  const bash = (bashrc: string) => ({ shell: '/bin/bash', files: { '.bashrc': bashrc } });
  test.each<[string, NonNullable<Parameters<SshTarget['createAccount']>[0]>, string]>([
    ['the shell nologin', { shell: '/usr/sbin/nologin' }, 'not available'],
    ['the shell false', { shell: '/bin/false' }, 'code 1'],
    ['a start-up file that exits', bash('echo 0; exit 0'), 'It printed: 0'],
    ['a start-up file that fails', bash('exit 3'), 'code 3'],
    ['a start-up file that starts fish', bash('exec fish'), 'code 0'],
    ['a start-up file that starts csh', bash('exec csh'), 'code 0'],
    ['a forced command', { name: 'clv-forced' }, 'It printed: 0'],
    ['no session', { name: 'clv-none' }, 'opens no session'],
  ])('%s', async (_what, account, said) => {
    const created = await server.createAccount(account);
    const before = server.passwordMark(created.username);
    expect(await rotate(created)).toMatchObject({
      outcome: 'refused',
      kind: 'not_possible',
      reason: expect.stringContaining(said),
      hint: expect.stringMatching(/chsh.*ForceCommand|MaxSessions/),
    });
    expect(server.passwordMark(created.username)).toBe(before);
  });

  test('a host that allows one session at a time is supported', async () => {
    expect(await rotate(await server.createAccount({ name: 'clv-one' }))).toEqual({ outcome: 'applied' });
  });
});

describe('account names of directories', () => {
  const names = ['ann@corp.example', 'CORP\\bob', 'Jürgen Groß', "pat.o'brien$"];
  test.each(names)('%s', async (name) => {
    const account = await server.createAccount({ name });
    expect(await rotate(account)).toEqual({ outcome: 'applied' });
    const secrets = { admin, next: `${next}-2` };
    expect(await connector.rotate(byAdmin(), { username: name }, secrets, loopbackContext())).toEqual({
      outcome: 'applied',
    });
    expect(await connector.verify(self(), { username: name }, secrets.next, loopbackContext())).toEqual({
      outcome: 'accepted',
    });
  });

  test('are discovered', async () => {
    const found = await connector.discover(byAdmin(), admin, loopbackContext());
    for (const name of names) {
      expect(found.find(({ username }) => username === name)).toMatchObject({
        details: { passwordState: 'set' },
        lastPasswordChange: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      });
    }
  });
});
