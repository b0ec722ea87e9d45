import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type FaultyProxy, startFaultyProxy } from './faulty-proxy.ts';

let echo: Server;
let proxy: FaultyProxy;

beforeAll(async () => {
  echo = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  proxy = await startFaultyProxy({ host: '127.0.0.1', port: (echo.address() as AddressInfo).port });
});
afterAll(async () => {
  await proxy?.stop();
  echo?.close();
});
beforeEach(() => proxy.setMode({ kind: 'ok' }));

async function open() {
  const socket = connect({ host: proxy.host, port: proxy.port });
  await once(socket, 'connect');
  return socket;
}

test('passes everything on', async () => {
  const socket = await open();
  socket.write('hello');
  expect(String((await once(socket, 'data'))[0])).toBe('hello');
  socket.destroy();
});

test('a closed port refuses, and opens again on the same port', async () => {
  await proxy.setMode({ kind: 'refuse' });
  await expect(open()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await proxy.setMode({ kind: 'ok' });
  (await open()).destroy();
});

test('a reset comes at the marker, not before', async () => {
  await proxy.setMode({ kind: 'reset', afterMarker: 'NOW' });
  const socket = await open();
  socket.write('not yet');
  expect(String((await once(socket, 'data'))[0])).toBe('not yet');
  socket.write('NOW');
  const [error] = await once(
    socket.on('error', () => {}),
    'error',
  ).catch((reason: unknown) => [reason]);
  expect(error).toMatchObject({ code: 'ECONNRESET' });
});

test('answers are swallowed once the trigger returns true', async () => {
  let applied = false;
  const before = proxy.faults();
  await proxy.setMode({ kind: 'blackhole', when: () => applied });
  const socket = await open();
  const received: string[] = [];
  socket.on('data', (chunk) => received.push(String(chunk)));
  socket.write('a');
  await expect.poll(() => received).toEqual(['a']);
  applied = true;
  socket.write('b');
  await expect.poll(() => proxy.faults()).toBe(before + 1);
  expect(received).toEqual(['a']);
  socket.destroy();
});
