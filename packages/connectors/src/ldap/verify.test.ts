import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { targetPolicy } from '@claviger/outbound';
import {
  type FaultyProxy,
  type LdapTarget,
  openLoopback,
  selfSignedCertificate,
  startFaultyProxy,
  startLdapTarget,
} from '@claviger/targets';
import { Attribute, Change } from 'ldapts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connectorFor } from '../registry.ts';
import { loopbackContext } from '../testing-context.ts';

const connector = connectorFor('ldap');
const password = "Correct-'Horse\\7";
let server: LdapTarget;
let proxy: FaultyProxy;

beforeAll(async () => {
  server = await startLdapTarget();
  proxy = await startFaultyProxy(server);
  await server.createPerson('svc', password);
});
afterAll(async () => {
  await proxy?.stop();
  await server?.stop();
});
afterEach(() => proxy.setMode({ kind: 'ok' }));

const at = (port: number, tls: object = { mode: 'disable' }, more: object = {}) => ({
  host: '127.0.0.1',
  port,
  tls,
  userDn: `uid={username},ou=people,${server.baseDn}`,
  ...more,
});
const verify = (config: object, secret: string, ctx = loopbackContext(), username = 'svc') =>
  connector.verify(config, { username }, secret, ctx);

test('the right password is accepted, a wrong password is refused', async () => {
  expect(await verify(at(server.port), password)).toEqual({ outcome: 'accepted' });
  expect(await verify(at(server.port), 'wrong')).toMatchObject({ outcome: 'refused' });
  expect(await verify(at(server.port), password, loopbackContext(), 'nobody')).toMatchObject({
    outcome: 'refused',
  });
  expect(await verify(at(server.port), password, loopbackContext(), '*')).toMatchObject({
    outcome: 'refused',
  });
});

test('H-245 an empty password is not sent: a directory accepts it as an anonymous bind', async () => {
  const before = proxy.connections();
  expect(await verify(at(proxy.port), '')).toMatchObject({ outcome: 'unknown' });
  const empty = { username: server.admin.username, password: '' };
  expect(await connector.test(at(proxy.port), empty, loopbackContext())).toMatchObject({ ok: false });
  await expect(
    connector.discover(at(proxy.port, undefined, { baseDn: server.baseDn }), empty, loopbackContext()),
  ).rejects.toMatchObject({ kind: 'configuration' });
  for (const username of ['', 'a\0b'])
    expect(await verify(at(proxy.port), password, loopbackContext(), username)).toMatchObject({
      outcome: 'unknown',
    });
  expect(proxy.connections()).toBe(before);
});

describe('nothing but a refused password counts as refused', () => {
  test('the port is closed', async () => {
    await proxy.setMode({ kind: 'refuse' });
    expect(await verify(at(proxy.port), password)).toMatchObject({ outcome: 'unknown' });
  });
  test('the server does not answer in time', async () => {
    await proxy.setMode({ kind: 'blackhole' });
    expect(
      await verify(at(proxy.port), password, loopbackContext({ operationTimeoutMs: 300 })),
    ).toMatchObject({
      outcome: 'unknown',
    });
  });
  test('the connection is reset during login', async () => {
    await proxy.setMode({ kind: 'reset', afterMarker: 'uid=svc' });
    expect(await verify(at(proxy.port), password)).toMatchObject({
      outcome: 'unknown',
      kind: 'unreachable',
      hint: expect.stringContaining('startTls'),
    });
  });
  test('the tenant may not reach the server', async () => {
    const before = proxy.connections();
    const allow = targetPolicy({ cidrs: ['10.0.0.0/8'], ports: [proxy.port] }, openLoopback);
    expect(await verify(at(proxy.port), password, loopbackContext({ allow }))).toMatchObject({
      outcome: 'unknown',
    });
    expect(proxy.connections()).toBe(before);
  });
});

describe('over TLS', () => {
  test('LDAPS and StartTLS with the right CA and name, or the pinned certificate', async () => {
    const { certificate, ldapsPort, port } = server;
    for (const tls of [
      { mode: 'verify-full', ca: certificate },
      { mode: 'pinned', certificate },
    ])
      for (const config of [at(ldapsPort, tls), at(port, tls, { startTls: true })]) {
        expect(await verify(config, password)).toEqual({ outcome: 'accepted' });
        expect(await verify(config, 'wrong')).toMatchObject({ outcome: 'refused' });
      }
  });
  test('another certificate, an unknown authority or another name gets no password', async () => {
    const other = (await selfSignedCertificate()).certificate;
    const { certificate, ldapsPort, port } = server;
    for (const tls of [
      { mode: 'verify-full', ca: other },
      { mode: 'pinned', certificate: other },
      { mode: 'system' },
    ])
      for (const config of [at(ldapsPort, tls), at(port, tls, { startTls: true })]) {
        expect(await verify(config, password)).toMatchObject({
          outcome: 'unknown',
          reason: expect.stringContaining('identity'),
        });
      }
    const elsewhere = { ...at(ldapsPort, { mode: 'verify-full', ca: certificate }), host: '127.0.0.2' };
    expect(await verify(elsewhere, password)).toMatchObject({ outcome: 'unknown' });
  });
  test.each([
    ['refuses', '300c02010178070a010204000400'],
    [
      'adds an answer of its own before TLS begins',
      '300c02010178070a010004000400300c02010261070a010004000400',
    ],
    ['answers something else', '300c02010161070a010004000400'],
  ])('a server that %s when asked for StartTLS gets no password', async (_what, answer) => {
    let received = '';
    const hostile = createServer((socket) => {
      socket
        .on('error', () => {})
        .on('data', (chunk: Buffer) => {
          received += chunk.toString('latin1');
          socket.write(Buffer.from(answer, 'hex'));
        });
    }).listen(0, '127.0.0.1');
    await once(hostile, 'listening');
    const { port } = hostile.address() as AddressInfo;
    const config = at(port, { mode: 'pinned', certificate: server.certificate }, { startTls: true });
    const result = await connector.test(config, { username: 'cn=x', password }, loopbackContext());
    expect(result).toMatchObject({ ok: false, hint: expect.stringContaining('StartTLS') });
    expect(received).toContain('1.3.6.1.4.1.1466.20037');
    expect(received).not.toContain(password);
    hostile.close();
  });
});

test('the connection test reports the kind of server, or the problem', async () => {
  expect(await connector.test(at(server.port), server.admin, loopbackContext())).toMatchObject({
    ok: true,
    serverVersion: expect.stringMatching(/LDAP 3/),
  });
  expect(
    await connector.test(at(server.port), { ...server.admin, password: 'wrong' }, loopbackContext()),
  ).toMatchObject({ ok: false, refused: true, problem: expect.stringContaining('49') });
});

test('accounts are listed in pages, with the known facts about their passwords', async () => {
  await server.asAdmin(async (client) => {
    for (let index = 0; index < 520; index += 1) {
      const uid = `p${String(index).padStart(4, '0')}`;
      await client.add(`uid=${uid},ou=people,${server.baseDn}`, {
        objectClass: ['inetOrgPerson'],
        uid,
        cn: uid,
        sn: uid,
      });
    }
    const locked = new Attribute({ type: 'pwdAccountLockedTime', values: ['000001010000Z'] });
    await client.modify(
      await server.createPerson('locked', password),
      new Change({ operation: 'add', modification: locked }),
    );
  });
  const config = at(server.port, undefined, { baseDn: server.baseDn });
  await server.createPerson('rotated', password);
  const secrets = { current: password, next: `${password}.` };
  await connector.rotate(config, { username: 'rotated' }, secrets, loopbackContext());
  const found = await connector.discover(config, server.admin, loopbackContext());
  const names = new Set(found.map(({ username }) => username));
  expect(names.size).toBe(found.length);
  expect(found.filter(({ username }) => /^p\d{4}$/.test(username))).toHaveLength(520);
  expect(found.find(({ username }) => username === 'rotated')).toMatchObject({
    canLogin: true,
    lastPasswordChange: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    details: { dn: `uid=rotated,ou=people,${server.baseDn}`, locked: 'false' },
  });
  expect(found.find(({ username }) => username === 'locked')).toMatchObject({
    canLogin: false,
    details: { locked: 'true' },
  });
  expect(JSON.stringify(found)).not.toContain('SSHA');
  const narrow = { ...config, filter: '(&(objectClass=person)(uid=p000*))' };
  expect(await connector.discover(narrow, server.admin, loopbackContext())).toHaveLength(10);
  await expect(connector.discover(at(server.port), server.admin, loopbackContext())).rejects.toMatchObject({
    kind: 'configuration',
    hint: expect.stringContaining('baseDn'),
  });
});
