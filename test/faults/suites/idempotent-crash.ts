import { randomUUID } from 'node:crypto';
import { eventually, type TestTenant } from '@claviger/testkit';
import { Redis } from 'ioredis';
import { beforeAll, expect, test } from 'vitest';
import type { Topology } from '../../support/topology.ts';

/** A repeated call with an idempotency key has one effect, also after a kill or a loss of data in between. */
export function idempotentCrash(topology: Topology): void {
  let tenant: TestTenant;

  beforeAll(async () => {
    tenant = await topology.network.createTenant();
  });

  const ENTRIES = '/api/v1/vault/entries';

  async function entriesNamed(name: string): Promise<string[]> {
    const { items } = await tenant.admin.client.must('GET', `${ENTRIES}?pageSize=100`);
    return (items as { id: string; name: string }[]).filter((item) => item.name === name).map(({ id }) => id);
  }

  test('a vault killed between commit and answer: the repetition returns the result and has no effect', async () => {
    topology.arm('vault-1', 'idempotency.before_answer_kept=crash');
    const [name, key] = [`once-${randomUUID()}`, randomUUID()];
    const send = () =>
      tenant.admin.client.post(
        ENTRIES,
        { name, type: 'note', secret: 'value' },
        { headers: { 'idempotency-key': key } },
      );
    expect((await send()).status).toBe(503);
    await topology.recover('vault-1');
    const [id] = await eventually(async () => {
      const ids = await entriesNamed(name);
      expect(ids).toHaveLength(1);
      return ids;
    });
    // First "in progress", as long as the answer may still arrive.
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

  test('a stored answer survives the loss of all data in Redis', async () => {
    const [name, key] = [`kept-${randomUUID()}`, randomUUID()];
    const send = () =>
      tenant.admin.client.post(
        ENTRIES,
        { name, type: 'note', secret: 'value' },
        { headers: { 'idempotency-key': key } },
      );
    const first = await send();
    expect(first.status).toBe(201);
    const { redis } = topology.installation.servers;
    const client = new Redis({ host: redis.host, port: redis.port, password: redis.password });
    await client.flushall();
    client.disconnect();
    const again = await send();
    expect(again.status).toBe(201);
    expect(again.text).toBe(first.text);
    expect(await entriesNamed(name)).toHaveLength(1);
  });
}
