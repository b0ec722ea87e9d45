import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { connectNetwork, type Network, type TestTenant } from '@claviger/testkit';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

let network: Network;
let tenant: TestTenant;
let port: number;
let ca: Buffer;
const sockets = new Set<Socket>();

beforeAll(async () => {
  network = connectNetwork(inject('network'));
  tenant = await network.createTenant();
  port = Number(new URL(network.access.urls[0]!).port);
  ca = readFileSync(network.access.caCertificate);
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await network?.[Symbol.asyncDispose]();
});

function secure(options: object = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port, servername: 'localhost', ca, ...options });
    sockets.add(socket);
    socket.once('secureConnect', () => {
      socket.off('error', reject);
      socket.on('error', () => {});
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** Resolves when more can be sent. */
const drained = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('drain', resolve));

/** The data received before the other side closed. */
function untilClosed(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.once('close', () => resolve(text));
  });
}

/** Uses a new connection, because the server may close a kept one at any time. */
const isLive = async (): Promise<void> => {
  const socket = await secure();
  const closed = untilClosed(socket);
  socket.write('GET /system/health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  expect(await closed).toMatch(/^HTTP\/1\.1 200 /);
};

test('H-281 clients that send single bytes slowly are cut off, while others are served', async () => {
  const head = 'POST /api/v1/resources HTTP/1.1\r\nHost: localhost\r\n';
  const body = `${head}Authorization: Bearer ${tenant.admin.token}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n`;
  const slow = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const socket = await secure();
      // Starts before all are connected: the first may be cut off before the last is connected.
      const closed = untilClosed(socket);
      socket.write(index % 2 ? head : `${body}{`);
      return { socket, closed };
    }),
  );
  const drip = setInterval(() => {
    for (const { socket } of slow) if (!socket.destroyed) socket.write('a');
  }, 5_000);
  try {
    await isLive();
    for (const text of await Promise.all(slow.map(({ closed }) => closed))) {
      // The time-out of the route may also answer an unfinished body.
      if (text !== '') expect(text).toMatch(/^HTTP\/1\.1 (?:400|408) /);
    }
    await isLive();
  } finally {
    clearInterval(drip);
  }
});

test('H-282 a body without an end is cut off at the limit', async () => {
  const socket = await secure();
  const closed = untilClosed(socket);
  socket.write(
    `POST /api/v1/resources HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${tenant.admin.token}\r\n` +
      'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  const chunk = `10000\r\n${'a'.repeat(0x10000)}\r\n`;
  let sent = 0;
  while (!socket.destroyed && sent < 64 * 1024 * 1024) {
    sent += 0x10000;
    if (!socket.write(chunk)) await Promise.race([drained(socket), closed]);
  }
  socket.destroy();
  const text = await closed;
  if (text !== '') expect(text).toMatch(/^HTTP\/1\.1 413 /);
  expect(sent).toBeLessThan(64 * 1024 * 1024);
  await isLive();
});

test('H-287 HTTP/2 is not offered', async () => {
  const socket = await secure({ ALPNProtocols: ['h2', 'http/1.1'] });
  expect(socket.alpnProtocol).toBe('http/1.1');
  socket.destroy();
  await expect(secure({ ALPNProtocols: ['h2'] })).rejects.toThrow();
});

test('H-288 invalid handshakes end, and other connections continue', async () => {
  await expect(secure({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })).rejects.toThrow();
  for (const servername of ['LOCALHOST', `${'a'.repeat(60)}.`.repeat(4).slice(0, 250), 'x'.repeat(300)]) {
    const socket = await secure({ servername, checkServerIdentity: () => undefined }).catch(() => undefined);
    socket?.destroy();
  }
  const garbage = Array.from({ length: 1_000 }, (_, index) =>
    index % 2
      ? randomBytes(64)
      : // A record that says it is a ClientHello.
        Buffer.concat([Buffer.from('160301003c010000380303', 'hex'), randomBytes(53)]),
  );
  for (let start = 0; start < garbage.length; start += 50) {
    await Promise.all(
      garbage.slice(start, start + 50).map(
        (bytes) =>
          new Promise<void>((resolve) => {
            const socket = connectTcp({ host: '127.0.0.1', port });
            socket.on('error', () => {});
            socket.once('close', () => resolve());
            socket.resume();
            socket.end(bytes);
          }),
      ),
    );
  }
  await isLive();
});
