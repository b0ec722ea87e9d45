import { type SshAccount, type SshTarget, startSshTarget } from '@claviger/targets';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectorFor } from '../registry.ts';
import { loopbackContext } from '../testing-context.ts';
import { parseStates } from './discover.ts';

const connector = connectorFor('ssh');
let server: SshTarget;
let admin: SshAccount;
let plain: SshAccount;

beforeAll(async () => {
  server = await startSshTarget({ ownEtc: true });
  admin = await server.createAccount({ superuser: true });
  plain = await server.createAccount();
});
afterAll(() => server?.stop());

const config = () => ({ host: '127.0.0.1', port: server.port, hostKeys: [server.hostKeyFingerprint] });

test('root reads every account, whether it is privileged, and when its password was changed', async () => {
  const found = await connector.discover(config(), admin, loopbackContext());
  const byName = new Map(found.map((account) => [account.username, account]));
  expect(byName.get('root')).toMatchObject({ privileged: true });
  expect(byName.get(admin.username)).toMatchObject({ privileged: true, canLogin: true });
  expect(byName.get(plain.username)).toMatchObject({
    privileged: false,
    canLogin: true,
    lastPasswordChange: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    details: { passwordState: 'set', shell: '/bin/sh' },
  });
  expect(byName.get('nobody')).toMatchObject({ canLogin: false });
  expect(JSON.stringify(found)).not.toContain('$y$');
});

test('another account reads the accounts without the state of their passwords', async () => {
  const found = await connector.discover(config(), plain, loopbackContext());
  const own = found.find(({ username }) => username === plain.username);
  expect(own).toMatchObject({ privileged: false, details: { passwordState: 'unknown' } });
  expect(own).not.toHaveProperty('lastPasswordChange');
});

test('a refused login is reported as an error', async () => {
  const wrong = { ...plain, password: 'wrong' };
  await expect(connector.discover(config(), wrong, loopbackContext())).rejects.toMatchObject({
    kind: 'authentication',
  });
});

test('both formats of the day of the last change are parsed', () => {
  const states = parseStates('a P 2026-01-31 0 99999 7 -1\nb L 01/31/2026 0 99999 7 -1\nc NP\n\n');
  expect(states.get('a')).toEqual({ locked: false, changedOn: '2026-01-31' });
  expect(states.get('b')).toEqual({ locked: true, changedOn: '2026-01-31' });
  expect(states.get('c')).toEqual({ locked: true });
});
