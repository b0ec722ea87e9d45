import { randomUUID } from 'node:crypto';
import { eventually, type StartedNetwork, startNetwork, type TestTenant } from '@claviger/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { crashed, restartReachable } from '../support/restart.ts';

let started: StartedNetwork;
let tenant: TestTenant;

beforeAll(async () => {
  started = await startNetwork();
  tenant = await started.network.createTenant();
});
afterAll(async () => started?.[Symbol.asyncDispose]());

const ENTRIES = '/api/v1/vault/entries';

async function entriesNamed(name: string): Promise<string[]> {
  const { items } = await tenant.admin.client.must('GET', `${ENTRIES}?pageSize=100`);
  return (items as { id: string; name: string }[]).filter((item) => item.name === name).map(({ id }) => id);
}

test('a vault killed between commit and answer: the repetition learns what was done, and does nothing', async () => {
  const { installation } = started;
  await restartReachable(installation, 'vault-1', {
    FAILPOINTS: 'idempotency.before_answer_kept=crash@1',
  });
  const [name, key] = [`once-${randomUUID()}`, randomUUID()];
  const send = () =>
    tenant.admin.client.post(
      ENTRIES,
      { name, type: 'note', secret: 'value' },
      { headers: { 'idempotency-key': key } },
    );
  expect((await send()).status).toBe(503);
  await crashed(installation, 'vault-1');
  await installation.restart('vault-1', { env: {} });
  const [id] = await eventually(async () => {
    const ids = await entriesNamed(name);
    expect(ids).toHaveLength(1);
    return ids;
  });
  // First "under way", as long as the answer might still come.
  const answer = await eventually(
    async () => {
      const again = await send();
      expect(again.status).toBe(409);
      expect(again.body.code).toBe('idempotency_replayed');
      return again;
    },
    { intervalMs: 250 },
  );
  expect(answer.body.detail).toContain(`entry ${id}`);
  expect(await entriesNamed(name)).toEqual([id]);
});

test('a kept answer outlives the loss of everything in Redis', async () => {
  const [name, key] = [`kept-${randomUUID()}`, randomUUID()];
  const send = () =>
    tenant.admin.client.post(
      ENTRIES,
      { name, type: 'note', secret: 'value' },
      { headers: { 'idempotency-key': key } },
    );
  const first = await send();
  expect(first.status).toBe(201);
  const { redis } = started.installation.parts;
  const client = new Redis({ host: redis.host, port: redis.port, password: redis.password });
  await client.flushall();
  client.disconnect();
  const again = await send();
  expect(again.status).toBe(201);
  expect(again.text).toBe(first.text);
  expect(await entriesNamed(name)).toHaveLength(1);
});
