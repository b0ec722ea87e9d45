import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import {
  type FaultyProxy,
  type SshAccount,
  type SshTarget,
  startFaultyProxy,
  startSshTarget,
} from '@claviger/targets';
import ssh2 from 'ssh2';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connectorFor } from '../registry.ts';
import { loopbackContext } from '../testing-context.ts';
import { hostKeyFingerprint } from './host-key.ts';

const connector = connectorFor('ssh');
let server: SshTarget;
let proxy: FaultyProxy;
let account: SshAccount;

beforeAll(async () => {
  server = await startSshTarget({ ownEtc: true });
  proxy = await startFaultyProxy(server);
  account = await server.createAccount();
});
afterAll(async () => {
  await proxy?.stop();
  await server?.stop();
});
afterEach(() => proxy.setMode({ kind: 'ok' }));

const pinned = () => ({ host: '127.0.0.1', port: proxy.port, hostKeys: [server.hostKeyFingerprint] });
const verify = (config: object, secret: string, ctx = loopbackContext()) =>
  connector.verify(config, { username: account.username }, secret, ctx);
const otherKey = `SHA256:${'A'.repeat(43)}`;

test('the right password is accepted, a wrong password is refused', async () => {
  expect(await verify(pinned(), account.password)).toEqual({ outcome: 'accepted' });
  expect(await verify(pinned(), 'wrong')).toMatchObject({ outcome: 'refused' });
});

test('a wrong password is one failed login on the host, not two', async () => {
  await using fresh = await startSshTarget({ ownEtc: true });
  const { username } = await fresh.createAccount();
  const config = { host: fresh.host, port: fresh.port, hostKeys: [fresh.hostKeyFingerprint] };
  expect(await connector.verify(config, { username }, 'wrong', loopbackContext())).toMatchObject({
    outcome: 'refused',
  });
  // The server logs the end of the connection after all of its login attempts.
  await expect.poll(() => fresh.log()).toMatch(/(?:closed|reset|disconnect)[^\n]*127\.0\.0\.1/i);
  expect(fresh.log().match(/Failed \S+ for/g)).toEqual(['Failed password for']);
});

test('a host that offers only keyboard-interactive works the same', async () => {
  await using interactive = await startSshTarget({ ownEtc: true, methods: ['keyboard-interactive'] });
  const { username, password } = await interactive.createAccount();
  const config = {
    host: interactive.host,
    port: interactive.port,
    hostKeys: [interactive.hostKeyFingerprint],
  };
  expect(await connector.verify(config, { username }, password, loopbackContext())).toEqual({
    outcome: 'accepted',
  });
  expect(await connector.verify(config, { username }, 'wrong', loopbackContext())).toMatchObject({
    outcome: 'refused',
  });
});

describe('an account that logs in with a private key', () => {
  const verifyKey = (privateKey: string, config: object = pinned()) =>
    connector.verify(
      config,
      { username: account.username, secretType: 'ssh-key' },
      privateKey,
      loopbackContext(),
    );

  test.each(['ed25519', 'ecdsa', 'rsa'] as const)(
    'is accepted with its own and refused with another: %s',
    async (type) => {
      const { username } = await server.createAccount();
      const [own, other] = [await server.addKey(account.username, type), await server.addKey(username, type)];
      expect(await verifyKey(own)).toEqual({ outcome: 'accepted' });
      expect(await verifyKey(other)).toMatchObject({ outcome: 'refused' });
    },
  );

  test('nothing is sent for a secret that is no private key, or for a private key with a passphrase', async () => {
    const locked = ssh2.utils.generateKeyPairSync('ed25519', {
      passphrase: 'p',
      cipher: 'aes256-ctr',
      rounds: 1,
    });
    const before = proxy.connections();
    for (const secret of [locked.private, locked.public, account.password]) {
      expect(await verifyKey(secret)).toEqual({
        outcome: 'unknown',
        kind: 'configuration',
        reason: 'The secret is not a valid private key.',
        hint: expect.stringContaining('without a passphrase'),
      });
    }
    expect(proxy.connections()).toBe(before);
  });

  test('a host that accepts no keys: unknown, not refused', async () => {
    using strange = await strangeServer((context) => context.reject(['password']));
    const key = await server.addKey(account.username);
    expect(await verifyKey(key, strange.config)).toMatchObject({ outcome: 'unknown' });
  });
});

test('ten verifications at once each get their own answer', async () => {
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) => verify(pinned(), index % 2 ? account.password : 'wrong')),
  );
  expect(answers.map(({ outcome }) => outcome)).toEqual(
    Array.from({ length: 10 }, (_, index) => (index % 2 ? 'accepted' : 'refused')),
  );
});

describe('nothing but a refused password counts as refused', () => {
  test('the port is closed', async () => {
    await proxy.setMode({ kind: 'refuse' });
    expect(await verify(pinned(), account.password)).toMatchObject({ outcome: 'unknown' });
  });
  test('the host does not answer in time', async () => {
    await proxy.setMode({ kind: 'blackhole' });
    expect(
      await verify(pinned(), account.password, loopbackContext({ operationTimeoutMs: 300 })),
    ).toMatchObject({ outcome: 'unknown' });
  });
  test('the connection is reset during login', async () => {
    await proxy.setMode({ kind: 'reset', afterBytes: 100 });
    expect(await verify(pinned(), account.password)).toMatchObject({ outcome: 'unknown' });
  });
});

describe('a password is sent only to a host whose key is pinned', () => {
  test('another host key: unknown, and the host receives no login', async () => {
    await using fresh = await startSshTarget({ ownEtc: true });
    const { username, password } = await fresh.createAccount();
    const config = { host: fresh.host, port: fresh.port, hostKeys: [otherKey] };
    const result = await connector.verify(config, { username }, password, loopbackContext());
    expect(result).toMatchObject({ outcome: 'unknown', reason: expect.stringContaining('not a pinned key') });
    await expect.poll(() => fresh.log()).toMatch(/(?:closed|reset|disconnect)[^\n]*127\.0\.0\.1/i);
    expect(fresh.log()).not.toMatch(/Accepted|Failed/);
    expect(fresh.log()).not.toContain(username);
  });
  test('no pinned key yet: the test reports the key of the host, and the hint names the setting', async () => {
    const { username, password } = account;
    const unpinned = { ...pinned(), hostKeys: [] };
    expect(await connector.test(unpinned, { username, password }, loopbackContext())).toMatchObject({
      ok: false,
      hostKeyFingerprint: server.hostKeyFingerprint,
      serverVersion: expect.stringContaining('OpenSSH'),
      hint: expect.stringContaining('hostKeys'),
    });
    expect(await verify(unpinned, password)).toMatchObject({ outcome: 'unknown' });
    expect(await connector.test(pinned(), { username, password }, loopbackContext())).toMatchObject({
      ok: true,
    });
  });
});

/** A server whose authentication differs from OpenSSH. */
async function strangeServer(onAuthentication: (context: ssh2.AuthContext) => void) {
  const key = ssh2.utils.generateKeyPairSync('ed25519');
  const server = new ssh2.Server({ hostKeys: [key.private] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', onAuthentication);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const blob = Buffer.from(key.public.split(' ')[1] ?? '', 'base64');
  const config = {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    hostKeys: [hostKeyFingerprint(blob)],
  };
  return { config, [Symbol.dispose]: () => server.close() };
}

test('a host that accepts every login does not verify a password', async () => {
  using strange = await strangeServer((context) => context.accept());
  expect(await verify(strange.config, account.password)).toMatchObject({
    outcome: 'unknown',
    reason: expect.stringContaining('without checking'),
  });
});

test('a host that accepts the password and requires another factor: unknown, not refused', async () => {
  using strange = await strangeServer((context) =>
    context.method === 'password'
      ? context.reject(['keyboard-interactive'], true)
      : context.reject(['password']),
  );
  expect(await verify(strange.config, account.password)).toMatchObject({ outcome: 'unknown' });
});

test('the password is not sent as the answer to another question', async () => {
  const answers: string[] = [];
  using strange = await strangeServer((context) => {
    if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
    context.prompt([{ prompt: 'One-time code: ', echo: false }], (given) => {
      answers.push(...given);
      context.reject(['keyboard-interactive']);
    });
  });
  expect(await verify(strange.config, account.password)).toMatchObject({ outcome: 'unknown' });
  expect(answers).toEqual(['']);
});

test.each(['-oProxyCommand=id', '$(id)', 'a:b', 'a\nb', 'root;id', ''])(
  'H-253 the account name %j never reaches a host',
  async (username) => {
    const before = proxy.connections();
    const result = await connector.verify(pinned(), { username }, 'x', loopbackContext());
    expect(result).toMatchObject({ outcome: 'unknown' });
    expect(proxy.connections()).toBe(before);
  },
);

test('the key exchange offers only fixed groups of at most 4096 bits, and no compression', async () => {
  const offer = Promise.withResolvers<string>();
  const host = createServer((socket) => {
    let received = '';
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      if (received.includes('none')) offer.resolve(received);
    });
    socket.write('SSH-2.0-curious\r\n');
  }).listen(0, '127.0.0.1');
  await once(host, 'listening');
  const config = { host: '127.0.0.1', port: (host.address() as AddressInfo).port, hostKeys: [otherKey] };
  const verifying = verify(config, account.password, loopbackContext({ operationTimeoutMs: 5_000 }));
  const offered = await offer.promise;
  host.close();
  expect(offered.match(/(?:curve|ecdh|diffie)[\w@.-]+/g)).toEqual([
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group14-sha256',
  ]);
  expect(offered).not.toMatch(/zlib/);
  expect(await verifying).toMatchObject({ outcome: 'unknown' });
});
