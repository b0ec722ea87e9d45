import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RedisServer, startRedis } from './index.ts';

let folder: string;
let redis: RedisServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claviger-servers-'));
  await chmod(folder, 0o711);
  redis = await startRedis({ dataDir: join(folder, 'redis'), logFile: join(folder, 'redis.log'), env: {} });
});

afterAll(async () => {
  await redis?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function withClient<T>(password: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis({ port: redis.port, password, lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => {});
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

test('it asks for the password and evicts nothing', async () => {
  await expect(withClient('wrong', (client) => client.get('x'))).rejects.toThrow();
  const policy = await withClient(redis.password, (client) =>
    client.call('CONFIG', 'GET', 'maxmemory-policy'),
  );
  expect(policy).toEqual(['maxmemory-policy', 'noeviction']);
});

test('what was written survives stop and start on the same port', async () => {
  await withClient(redis.password, (client) => client.set('kept', '7'));
  const { port } = redis;
  await redis.stop();
  await redis.start();
  expect(redis.port).toBe(port);
  expect(await withClient(redis.password, (client) => client.get('kept'))).toBe('7');
});
