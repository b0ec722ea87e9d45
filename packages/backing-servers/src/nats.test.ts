import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type NatsServer, startNats } from './index.ts';
import { natsConfiguration } from './nats-configuration.ts';

/** What is kept is written to the disk first, which may be busy. */
const patient = { timeout: 60_000 };
let folder: string;
let nats: NatsServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claviger-servers-'));
  await chmod(folder, 0o711);
  nats = await startNats({
    dataDir: join(folder, 'nats'),
    logFile: join(folder, 'nats.log'),
    users: { vault: join(folder, 'vault-password'), audit: join(folder, 'audit-password') },
    env: {},
  });
});

afterAll(async () => {
  await nats?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function as<T>(user: string, use: (connection: NatsConnection) => Promise<T>): Promise<T> {
  const pass = nats.passwords[user] ?? '';
  const connection = await connect({ servers: `127.0.0.1:${nats.port}`, user, pass, reconnect: false });
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

test('an event acknowledged before a SIGKILL is there after the next start on the same port', async () => {
  await as('audit', async (connection) => {
    const manager = await jetstreamManager(connection, patient);
    await manager.streams.add({ name: 'TEST', subjects: ['claviger.test.>'] });
  });
  await as('vault', (connection) =>
    jetstream(connection, patient).publish('claviger.test.one', '1', { msgID: 'e1' }),
  );
  const { port } = nats;
  const exited = new Promise((resolve) => nats.onUnexpectedExit(resolve));
  nats.kill('SIGKILL');
  await exited;
  await nats.start();
  expect(nats.port).toBe(port);
  const messages = await as('audit', async (connection) => {
    const manager = await jetstreamManager(connection, patient);
    return (await manager.streams.info('TEST')).state.messages;
  });
  expect(messages).toBe(1);
});

test('a service that only publishes can neither delete a stream nor read from it', async () => {
  await as('vault', async (connection) => {
    for (const subject of ['$JS.API.STREAM.DELETE.TEST', '$JS.API.CONSUMER.CREATE.TEST']) {
      await expect(connection.request(subject, '{}', { timeout: 60_000 })).rejects.toThrow(/ermission/);
    }
  });
});

test('a stranger is refused', async () => {
  const stranger = connect({
    servers: `127.0.0.1:${nats.port}`,
    user: 'vault',
    pass: 'no',
    reconnect: false,
  });
  await expect(stranger).rejects.toThrow(/uthorization/);
});

test('sync_interval is written only for servers that know it', () => {
  const options = { port: 1, serverName: 'n', storeDir: '/s', passwords: {} };
  expect(natsConfiguration({ ...options, version: '2.9.10' })).not.toContain('sync_interval');
  expect(natsConfiguration({ ...options, version: '2.10.0' })).toContain('sync_interval: always');
});
