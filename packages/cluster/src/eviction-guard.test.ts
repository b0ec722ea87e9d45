import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '@claviger/backing-servers';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEvictionGuard } from './eviction-guard.ts';

let folder: string;
let redis: RedisServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claviger-eviction-'));
  await chmod(folder, 0o711);
  redis = await startRedis({ dataDir: join(folder, 'redis'), logFile: join(folder, 'redis.log') });
});
afterAll(async () => {
  await redis?.stop();
  await rm(folder, { recursive: true, force: true });
});

const address = () => ({ host: redis.host, port: redis.port, password: redis.password });

async function setPolicy(policy: string): Promise<void> {
  const client = new Redis(address());
  try {
    await client.call('CONFIG', 'SET', 'maxmemory-policy', policy);
  } finally {
    client.disconnect();
  }
}

test.each(['allkeys-lru', 'volatile-lru', 'volatile-ttl', 'allkeys-random'])(
  'a Redis that evicts keys by %s is refused, and the error names the fix',
  async (policy) => {
    await setPolicy(policy);
    try {
      await expect(openEvictionGuard(address(), 60_000)).rejects.toThrow(
        `evicts keys (maxmemory-policy ${policy}), which would lose session revocations and jobs. Set "maxmemory-policy noeviction"`,
      );
    } finally {
      await setPolicy('noeviction');
    }
  },
);

test('a Redis that keeps its keys is accepted; one that later evicts keys is detected', async () => {
  await using guard = await openEvictionGuard(address(), 60_000);
  await guard.check();
  await setPolicy('allkeys-lru');
  try {
    const client = new Redis(address());
    await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    client.disconnect();
    await expect.poll(() => guard.check().then(() => 'kept', String)).toContain('allkeys-lru');
  } finally {
    await setPolicy('noeviction');
  }
});

test('a service starts without Redis', async () => {
  await using guard = await openEvictionGuard({ host: '127.0.0.1', port: 1, password: 'x' }, 100);
  await guard.check();
});
