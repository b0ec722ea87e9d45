import { eventually } from '@claviger/testkit';
import { expect, test } from 'vitest';
import type { Topology } from '../../support/topology.ts';

/** No event is lost or doubled while NATS is down under load for this many milliseconds. */
export function natsAway(topology: Topology, outageMs: number): void {
  test('F-27 with NATS down under load, no event is lost or doubled', async () => {
    const { network, installation } = topology;
    const tenant = await network.createTenant();
    const entry = await tenant.admin.client.must('POST', '/api/v1/vault/entries', {
      name: 'hot',
      type: 'note',
      secret: 'value',
    });
    let running = true;
    const acknowledged: string[] = [];
    const client = async (number: number): Promise<void> => {
      for (let turn = 0; running; turn += 1) {
        const requestId = `load-${number}-${turn}`;
        const answer = await tenant.admin.client.post(
          `/api/v1/vault/entries/${entry.id}/retrieve`,
          { reason: 'load' },
          { headers: { 'x-request-id': requestId } },
        );
        // Retrieval does not depend on NATS.
        expect(answer.status).toBe(200);
        acknowledged.push(requestId);
        // The pause limits the load, on purpose.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const load = Promise.all([1, 2, 3, 4].map(client));
    await expect.poll(() => acknowledged.length, { timeout: 60_000 }).toBeGreaterThan(50);
    await installation.servers.nats.stop();
    const stoppedAt = Date.now();
    await expect
      .poll(() => Date.now() - stoppedAt, { timeout: outageMs * 2, interval: 500 })
      .toBeGreaterThan(outageMs);
    const during = acknowledged.length;
    await installation.servers.nats.start();
    await expect.poll(() => acknowledged.length, { timeout: 60_000 }).toBeGreaterThan(during + 50);
    running = false;
    await load;

    await eventually(
      async () => {
        const found = await network.superuser(
          async (db) =>
            (
              await db.query<{ request_id: string; sequence: number | null }>(
                `SELECT request_id, sequence FROM audit.events WHERE tenant_id = $1 AND action = 'vault.entry.retrieved'`,
                [tenant.id],
              )
            ).rows,
        );
        expect(found.map((row) => row.request_id).toSorted()).toEqual(acknowledged.toSorted());
        expect(found.every((row) => row.sequence !== null)).toBe(true);
      },
      { intervalMs: 500 },
    );
  });
}
