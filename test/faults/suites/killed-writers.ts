import { randomUUID } from 'node:crypto';
import { eventually, type TestTenant } from '@claviger/testkit';
import { beforeAll, expect, test } from 'vitest';
import { crashed, restartReachable } from '../../support/restart.ts';
import type { Topology } from '../../support/topology.ts';

/** Killed services neither lose nor double events. */
export function killedWriters(topology: Topology): void {
  let tenant: TestTenant;
  let entryId: string;
  const acknowledged: string[] = [];

  beforeAll(async () => {
    tenant = await topology.network.createTenant();
    const entry = await tenant.admin.client.must('POST', '/api/v1/vault/entries', {
      name: 'seen often',
      type: 'note',
      secret: 'value',
    });
    entryId = entry.id as string;
  });

  async function retrieveTimes(times: number): Promise<void> {
    for (let turn = 0; turn < times; turn += 1) {
      const requestId = randomUUID();
      const answer = await tenant.admin.client.post(
        `/api/v1/vault/entries/${entryId}/retrieve`,
        { reason: 'load' },
        { headers: { 'x-request-id': requestId } },
      );
      expect(answer.status).toBe(200);
      acknowledged.push(requestId);
    }
  }

  /**
   * Every acknowledged retrieval is sequenced once; the numbers are consecutive and covered by the newest
   * head.
   */
  async function expectWholeLog(): Promise<void> {
    await eventually(
      () =>
        topology.network.superuser(async (db) => {
          const { rows } = await db.query<{ request_id: string; action: string; sequence: number | null }>(
            `SELECT request_id, action, sequence::int FROM audit.events WHERE tenant_id = $1 ORDER BY sequence`,
            [tenant.id],
          );
          const seen = rows.filter((row) => row.action === 'vault.entry.retrieved');
          expect(seen.map((row) => row.request_id).toSorted()).toEqual(acknowledged.toSorted());
          expect(rows.map((row) => row.sequence)).toEqual(rows.map((_, index) => index));
          const { rows: heads } = await db.query<{ size: number }>(
            `SELECT max(size)::int AS size FROM audit.tree_heads WHERE tenant_id = $1`,
            [tenant.id],
          );
          expect(heads[0]!.size).toBe(rows.length);
        }),
      // Messages of the killed process are delivered again after the acknowledgement time-out.
      { timeoutMs: 200_000, intervalMs: 200 },
    );
  }

  test.each([
    ['F-09', 'audit.ingest.before_ack'],
    ['F-10', 'audit.seal.before_commit'],
    ['F-10', 'audit.seal.after_commit'],
  ])('%s audit killed at %s neither loses nor doubles events', async (_, point) => {
    topology.arm('audit-1', `${point}=crash`);
    await retrieveTimes(5);
    await crashed(topology.installation, 'audit-1');
    await retrieveTimes(5);
    await topology.recover('audit-1');
    await expectWholeLog();
  });

  test('F-05 a vault killed before it published its events publishes them after its restart', async () => {
    const { installation } = topology;
    await installation.servers.nats.stop();
    await retrieveTimes(10);
    await installation.kill('vault-1');
    await installation.servers.nats.start();
    await restartReachable(installation, 'vault-1');
    await retrieveTimes(2);
    await expectWholeLog();
  });
}
