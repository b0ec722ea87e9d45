import { type RsyslogTarget, startRsyslog } from '@claviger/targets';
import { eventually, type TestTenant } from '@claviger/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ableToConfigure, arrivedAt, setSiemTargets } from '../../support/siem.ts';
import type { Topology } from '../../support/topology.ts';

/** No event is lost when a SIEM destination is down or audit is killed while it sends. */
export function siemDestinationDown(topology: Topology): void {
  const CALLS = 150;

  let down: RsyslogTarget;
  let up: RsyslogTarget;
  beforeAll(async () => {
    [down, up] = await Promise.all([startRsyslog({ started: false }), startRsyslog()]);
    const ports = [down, up].flatMap((each) => Object.values(each.ports));
    await topology.network.openTargets(...ports);
  });
  afterAll(async () => {
    await down?.[Symbol.asyncDispose]();
    await up?.[Symbol.asyncDispose]();
  });

  /** Ids of the sequenced events of the tenant, in the order of its log. */
  const logOf = (tenant: TestTenant) =>
    topology.network.superuser(async (db) => {
      const { rows } = await db.query<{ event_id: string }>(
        'SELECT event_id FROM audit.events WHERE tenant_id = $1 AND sequence IS NOT NULL ORDER BY sequence',
        [tenant.id],
      );
      return rows.map(({ event_id }) => event_id);
    });

  const stateOf = async (tenant: TestTenant, name: string) => {
    const { items } = await tenant.admin.client.must('GET', '/api/v1/admin/siem/status');
    return (items as Record<string, unknown>[]).find((item) => item.name === name)!;
  };

  /** Waits until no other destination has a backlog, whose batches would be counted too. */
  const untilAllIsSent = () =>
    eventually(() =>
      topology.network.superuser(async (db) => {
        const { rows } = await db.query(
          `SELECT target FROM audit.siem_cursors JOIN audit.trees USING (tenant_id) WHERE next_sequence < size`,
        );
        expect(rows).toEqual([]);
      }),
    );

  test('F-55: a destination that is down under load delays nothing, and then receives every event once, in order', async () => {
    const tenants = await Promise.all([1, 2].map(() => topology.network.createTenant()));
    for (const tenant of tenants) {
      await ableToConfigure(tenant);
      const common = { host: '127.0.0.1', transport: 'syslog-tls', ca: up.ca };
      await setSiemTargets(tenant, [
        { ...common, name: 'down', port: down.ports.tls, ca: down.ca },
        { ...common, name: 'up', port: up.ports.tls },
      ]);
    }
    await Promise.all(
      tenants.map(async (tenant) => {
        const { client } = tenant.admin;
        const entry = await client.must('POST', '/api/v1/vault/entries', {
          name: 'hot',
          type: 'note',
          secret: 'value',
        });
        const caller = async (): Promise<void> => {
          for (let call = 0; call < CALLS; call += 1) {
            const answer = await client.post(`/api/v1/vault/entries/${entry.id}/retrieve`, {
              reason: 'load',
            });
            // Requests are not affected by a destination that is down.
            expect(answer.status).toBe(200);
          }
        };
        await Promise.all([caller(), caller()]);
      }),
    );
    for (const tenant of tenants) {
      await eventually(async () => expect((await logOf(tenant)).length).toBeGreaterThan(2 * CALLS));
      await eventually(
        async () => expect((await arrivedAt(up, tenant.id)).map(({ id }) => id)).toEqual(await logOf(tenant)),
        { intervalMs: 200 },
      );
      await eventually(async () =>
        expect(await stateOf(tenant, 'down')).toMatchObject({ state: 'never_connected', nextSequence: 0 }),
      );
    }
    expect(await down.records()).toEqual([]);

    await down.start();
    for (const tenant of tenants) {
      await eventually(
        async () => {
          const arrived = await arrivedAt(down, tenant.id);
          expect(arrived.map(({ id }) => id)).toEqual(await logOf(tenant));
          expect(arrived.map(({ sequence }) => sequence)).toEqual(arrived.map((_, index) => index));
        },
        { intervalMs: 200 },
      );
      // The position advances shortly after the destination has the batch.
      await eventually(async () =>
        expect(await stateOf(tenant, 'down')).toMatchObject({ state: 'ok', lastError: '', lagEvents: 0 }),
      );
    }
  });

  test('audit killed between a batch and its stored position loses no event: repeated events have the same id', async () => {
    const { network } = topology;
    const tenant = await network.createTenant();
    await ableToConfigure(tenant);
    const { client } = tenant.admin;
    const entry = await client.must('POST', '/api/v1/vault/entries', {
      name: 'hot',
      type: 'note',
      secret: 'value',
    });
    // More than one batch.
    const caller = async (): Promise<void> => {
      for (let call = 0; call < CALLS; call += 1)
        await client.must('POST', `/api/v1/vault/entries/${entry.id}/retrieve`, { reason: 'load' });
    };
    await Promise.all([caller(), caller()]);
    await eventually(async () => expect((await logOf(tenant)).length).toBeGreaterThan(2 * CALLS));
    await untilAllIsSent();
    topology.arm('audit-1', 'audit.siem.after_send=crash@2');
    await setSiemTargets(tenant, [
      { name: 'mortal', transport: 'syslog-tcp', host: '127.0.0.1', port: up.ports.tcp },
    ]);
    await topology.recover('audit-1');
    await eventually(
      async () => {
        const ids = (await arrivedAt(up, tenant.id)).map(({ id }) => id);
        expect([...new Set(ids)]).toEqual(await logOf(tenant));
        expect(ids.length).toBeGreaterThan(new Set(ids).size);
      },
      { intervalMs: 200 },
    );
  });
}
