import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { targetPolicy } from '@claviger/outbound';
import {
  type FaultyProxy,
  openLoopback,
  type PostgresTarget,
  startFaultyProxy,
  startPostgresTarget,
} from '@claviger/targets';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connectorFor } from '../registry.ts';
import { loopbackContext } from '../testing-context.ts';

const connector = connectorFor('postgres');
const password = 'Correct-Horse-7';
let server: PostgresTarget;
let proxy: FaultyProxy;

beforeAll(async () => {
  server = await startPostgresTarget();
  proxy = await startFaultyProxy(server);
  await server.createRole('svc', password);
});
afterAll(async () => {
  await proxy?.stop();
  await server?.stop();
});
afterEach(async () => {
  await proxy.setMode({ kind: 'ok' });
  await server.setLoginMethod('scram-sha-256');
});

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

test('twenty verifications at once each get their own answer', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      verify(at(server.port), index % 2 ? password : `wrong-${index}`),
    ),
  );
  expect(answers.map(({ outcome }) => outcome)).toEqual(
    Array.from({ length: 20 }, (_, index) => (index % 2 ? 'accepted' : 'refused')),
  );
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
    ).toMatchObject({ outcome: 'unknown' });
  });
  test('the connection is reset during login', async () => {
    await proxy.setMode({ kind: 'reset', afterMarker: 'SCRAM-SHA-256' });
    expect(await verify(at(proxy.port), password)).toMatchObject({ outcome: 'unknown' });
    expect(proxy.faults()).toBeGreaterThan(0);
  });
  test('the caller cancels', async () => {
    await proxy.setMode({ kind: 'blackhole' });
    expect(
      await verify(at(proxy.port), password, loopbackContext({ signal: AbortSignal.timeout(200) })),
    ).toMatchObject({ outcome: 'unknown' });
  });
  test('pg_hba.conf refuses logins from here', async () => {
    await server.setLoginMethod('reject');
    expect(await verify(at(server.port), password)).toMatchObject({ outcome: 'unknown' });
  });
  test('the database does not exist', async () => {
    expect(await verify({ ...at(server.port), database: 'absent' }, password)).toMatchObject({
      outcome: 'unknown',
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

test('a server that accepts every login does not verify a password, not even the valid one', async () => {
  await server.setLoginMethod('trust');
  expect(await verify(at(server.port), password)).toMatchObject({ outcome: 'unknown' });
});

test('a server that asks for the password in plain text does not receive it', async () => {
  await server.setLoginMethod('password');
  const result = await verify(at(server.port), password);
  expect(result).toMatchObject({ outcome: 'unknown', reason: expect.stringContaining('discloses it') });
});

test('a server that begins with SCRAM and then asks in plain text does not receive the password either', async () => {
  const request = (code: number, text = '') => {
    const body = Buffer.concat([Buffer.from([0, 0, 0, code]), Buffer.from(text)]);
    const head = Buffer.alloc(5, 'R');
    head.writeInt32BE(body.length + 4, 1);
    return Buffer.concat([head, body]);
  };
  let received = '';
  const hostile = createServer((socket) => {
    const answers = [request(10, 'SCRAM-SHA-256\0\0'), request(3), request(0)];
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      socket.write(answers.shift() ?? request(3));
    });
  }).listen(0, '127.0.0.1');
  await once(hostile, 'listening');
  const { port } = hostile.address() as AddressInfo;
  expect(await verify(at(port), password)).toMatchObject({ outcome: 'unknown' });
  expect(received).toContain('SCRAM-SHA-256');
  expect(received).not.toContain(password);
  hostile.close();
});

describe('over TLS', () => {
  test('the right CA and name, or the pinned certificate, is accepted', async () => {
    const { certificate, port } = server;
    expect(await verify(at(port, { mode: 'verify-full', ca: certificate }), password)).toEqual({
      outcome: 'accepted',
    });
    expect(await verify(at(port, { mode: 'pinned', certificate }), password)).toEqual({
      outcome: 'accepted',
    });
    const byName = { ...at(port, { mode: 'verify-full', ca: certificate }), host: 'localhost' };
    const allow = targetPolicy({ cidrs: ['127.0.0.0/8', '::1/128'], ports: [port] }, openLoopback);
    expect(await verify(byName, password, loopbackContext({ allow }))).toEqual({ outcome: 'accepted' });
  });
  test('a server with another certificate or another name receives no password', async () => {
    await using other = await startPostgresTarget();
    const { port } = server;
    for (const tls of [
      { mode: 'verify-full', ca: other.certificate },
      { mode: 'pinned', certificate: other.certificate },
    ])
      expect(await verify(at(port, tls), password)).toMatchObject({
        outcome: 'unknown',
        reason: expect.stringContaining('identity'),
      });
    const wrongName = { ...at(port, { mode: 'verify-full', ca: server.certificate }), host: '127.0.0.2' };
    const wrongNameProxy = await verify(wrongName, password);
    expect(wrongNameProxy).toMatchObject({ outcome: 'unknown' });
  });
});
