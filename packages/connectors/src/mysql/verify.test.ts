import { targetPolicy } from '@claviger/outbound';
import {
  type FaultyProxy,
  type MysqlTarget,
  openLoopback,
  selfSignedCertificate,
  startFaultyProxy,
  startMysqlTarget,
} from '@claviger/targets';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connectorFor } from '../registry.ts';
import { loopbackContext } from '../testing-context.ts';

const connector = connectorFor('mysql');
const password = "Correct-'Horse\\7";
let server: MysqlTarget;
let proxy: FaultyProxy;

beforeAll(async () => {
  server = await startMysqlTarget();
  proxy = await startFaultyProxy(server);
  await server.createUser('svc', password);
});
afterAll(async () => {
  await proxy?.stop();
  await server?.stop();
});
afterEach(() => proxy.setMode({ kind: 'ok' }));

const at = (port: number, tls: object = { mode: 'disable' }) => ({ host: '127.0.0.1', port, tls });
const verify = (config: object, secret: string, ctx = loopbackContext(), username = 'svc') =>
  connector.verify(config, { username }, secret, ctx);

test('the right password is accepted, a wrong password is refused', async () => {
  expect(await verify(at(server.port), password)).toEqual({ outcome: 'accepted' });
  expect(await verify(at(server.port), 'wrong')).toMatchObject({ outcome: 'refused' });
  expect(await verify(at(server.port), password, loopbackContext(), 'nobody')).toMatchObject({
    outcome: 'refused',
  });
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
    await proxy.setMode({ kind: 'reset', afterMarker: 'mysql_native_password' });
    expect(await verify(at(proxy.port), password)).toMatchObject({ outcome: 'unknown' });
    expect(proxy.faults()).toBeGreaterThan(0);
  });
  test('the account is locked', async () => {
    await server.createUser('locked', password);
    await server.sql("ALTER USER 'locked'@'%' ACCOUNT LOCK");
    expect(await verify(at(server.port), password, loopbackContext(), 'locked')).toMatchObject({
      outcome: 'unknown',
      kind: 'not_possible',
    });
  });
  test('the password has expired', async () => {
    await server.createUser('expired', password);
    await server.sql("ALTER USER 'expired'@'%' PASSWORD EXPIRE");
    expect(await verify(at(server.port), password, loopbackContext(), 'expired')).toMatchObject({
      outcome: 'unknown',
      kind: 'not_possible',
      hint: expect.stringContaining('rotateAs: self'),
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
  test('the password or the name is empty', async () => {
    const before = proxy.connections();
    expect(await verify(at(proxy.port), '')).toMatchObject({ outcome: 'unknown' });
    expect(await verify(at(proxy.port), password, loopbackContext(), '')).toMatchObject({
      outcome: 'unknown',
    });
    expect(proxy.connections()).toBe(before);
  });
});

test('a login that the server maps to another account does not verify the password', async () => {
  await server.sql("CREATE USER ''@'%' IDENTIFIED BY 'any-7'");
  try {
    expect(await verify(at(server.port), 'any-7', loopbackContext(), 'unknown-name')).toMatchObject({
      outcome: 'unknown',
      reason: expect.stringContaining('another account'),
    });
  } finally {
    await server.sql("DROP USER ''@'%'");
  }
});

describe('over TLS', () => {
  test('the right CA and name, or the pinned certificate, is accepted, and a rotation works', async () => {
    const { certificate, port } = server;
    for (const tls of [
      { mode: 'verify-full', ca: certificate },
      { mode: 'pinned', certificate },
    ]) {
      expect(await verify(at(port, tls), password)).toEqual({ outcome: 'accepted' });
      expect(await verify(at(port, tls), 'wrong')).toMatchObject({ outcome: 'refused' });
      const secrets = { current: password, next: password };
      expect(await connector.rotate(at(port, tls), { username: 'svc' }, secrets, loopbackContext())).toEqual({
        outcome: 'applied',
      });
    }
    const byName = { ...at(port, { mode: 'verify-full', ca: certificate }), host: 'localhost' };
    const allow = targetPolicy({ cidrs: ['127.0.0.0/8', '::1/128'], ports: [port] }, openLoopback);
    expect(await verify(byName, password, loopbackContext({ allow }))).toEqual({ outcome: 'accepted' });
  });
  test('another certificate, an unknown authority or another name gets no password', async () => {
    const other = (await selfSignedCertificate()).certificate;
    const { port, certificate } = server;
    for (const config of [
      at(port, { mode: 'verify-full', ca: other }),
      at(port, { mode: 'pinned', certificate: other }),
      at(port, { mode: 'system' }),
    ]) {
      expect(await verify(config, password)).toMatchObject({
        outcome: 'unknown',
        reason: expect.stringContaining('identity'),
      });
      const result = await connector.test(config, { username: 'svc', password }, loopbackContext());
      expect(result).toMatchObject({ ok: false, hint: expect.stringContaining('certificate') });
    }
    await using byOtherName = await startFaultyProxy(server);
    const wrongName = {
      ...at(byOtherName.port, { mode: 'verify-full', ca: certificate }),
      host: 'other.example',
    };
    expect(await verify(wrongName, password)).toMatchObject({ outcome: 'unknown' });
  });
});

test('accounts are listed by name, with what makes them privileged, locked or expired', async () => {
  await server.createUser('two-hosts', password, '10.0.0.1');
  await server.createUser('two-hosts', password, '10.0.0.2');
  await server.createUser('boss', password);
  await server.sql("GRANT SUPER, CREATE USER ON *.* TO 'boss'@'%'");
  await server.sql('CREATE ROLE some_role');
  const found = await connector.discover(at(server.port), server.admin, loopbackContext());
  const by = Object.fromEntries(found.map((account) => [account.username, account]));
  expect(Object.keys(by)).not.toContain('some_role');
  expect(by['two-hosts']).toMatchObject({
    privileged: false,
    canLogin: true,
    lastPasswordChange: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    details: { hosts: '10.0.0.1,10.0.0.2', locked: 'false', passwordExpired: 'false' },
  });
  expect(by.boss).toMatchObject({ privileged: true, details: { privileges: 'Super,Create_user' } });
  expect(by.locked).toMatchObject({ canLogin: false, details: { locked: 'true' } });
  expect(by.expired).toMatchObject({ details: { passwordExpired: 'true' } });
  expect(JSON.stringify(found)).not.toMatch(/\*[0-9A-F]{40}/);
  await expect(
    connector.discover(at(server.port), { username: 'svc', password }, loopbackContext()),
  ).rejects.toMatchObject({ kind: 'permission' });
});
