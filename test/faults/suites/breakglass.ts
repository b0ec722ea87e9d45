import { eventually, type TestTenant, type TestUser } from '@claviger/testkit';
import { beforeAll, expect, test } from 'vitest';
import {
  BREAKGLASS,
  guardedEntry,
  retrieve,
  SECRET,
  sealedCodes,
  steppedUp,
  WHY,
} from '../../support/breakglass.ts';
import { restartReachable } from '../../support/restart.ts';
import type { Topology } from '../../support/topology.ts';

/** Emergency access works without Redis and NATS; without the vault it waits. */
export function emergencyAccess(topology: Topology): void {
  let tenant: TestTenant;
  let boss: TestUser;
  let entryId: string;
  beforeAll(async () => {
    tenant = await topology.network.createTenant();
    boss = await steppedUp(tenant, ['administrator']);
    entryId = await guardedEntry(tenant);
  });

  const sql = (text: string, values: unknown[]) =>
    topology.network.superuser(async (db) => {
      await db.query('SET session_replication_role = replica');
      await db.query(text, values);
    });

  test('H-183 without Redis and NATS an offline code opens access, the vault discloses, and access ends without a sweep', async () => {
    const { redis, nats } = topology.installation.servers;
    const who = await steppedUp(tenant, ['operator']);
    const codes = await sealedCodes(boss.client, 2);
    await Promise.all([redis.stop(), nats.stop()]);
    const { id } = await who.client.must('POST', `${BREAKGLASS}/activate`, { ...WHY, sealedCode: codes[0] });
    expect(await retrieve(who.client, entryId)).toMatchObject({ status: 200, body: { secret: SECRET } });
    // H-184 also holds: auth is asked for each call.
    expect((await who.client.post(`${BREAKGLASS}/sessions/${id}/review`, { review: 'x' })).status).toBe(403);
    expect((await who.client.must('GET', `${BREAKGLASS}/status`)).active).toBe(true);
    expect((await who.client.must('POST', `${BREAKGLASS}/deactivate`, {})).disclosed).toBe(1);
    expect((await retrieve(who.client, entryId)).status).toBe(403);

    const again = await who.client.must('POST', `${BREAKGLASS}/activate`, { ...WHY, sealedCode: codes[1] });
    expect((await retrieve(who.client, entryId)).status).toBe(200);
    // Each service applies the time limit, although no sweep runs without a leader.
    await sql('UPDATE vault.emergency_sessions SET expires_at = now() WHERE id = $1', [again.id]);
    await sql('UPDATE workflow.breakglass_sessions SET expires_at = now() WHERE id = $1', [again.id]);
    expect((await retrieve(who.client, entryId)).status).toBe(403);
    expect((await who.client.must('GET', `${BREAKGLASS}/status`)).active).toBe(false);
    await Promise.all([redis.start(), nats.start()]);
    await eventually(async () =>
      expect(await boss.client.must('GET', `${BREAKGLASS}/sessions/${again.id}`)).toMatchObject({
        state: 'expired',
        disclosed: 1,
        rotationsImpossible: 1,
        disclosures: [{ rotation: 'impossible' }],
      }),
    );
    // Each step is in the log once, despite the outages.
    await eventually(
      async () => {
        const { items } = await tenant.admin.client.must(
          'GET',
          `${BREAKGLASS}/audit?pageSize=100&userId=${who.id}`,
        );
        const allowed = (items as { action: string; outcome: string }[])
          .filter(({ outcome }) => outcome === 'allowed')
          .map(({ action }) => action);
        expect(allowed.toSorted()).toEqual([
          'breakglass.activated',
          'breakglass.activated',
          'breakglass.deactivated',
          'vault.entry.retrieved',
          'vault.entry.retrieved',
        ]);
      },
      { intervalMs: 300 },
    );
  });

  test('an activation while the vault is down is stored, and takes effect when the vault is back', async () => {
    const who = await steppedUp(tenant, ['operator']);
    const [sealedCode] = await sealedCodes(boss.client, 1);
    /** Skips the pause before the next attempt to reach the vault. */
    const reaches = (status: number) =>
      eventually(async () => {
        await sql(
          'UPDATE workflow.breakglass_sessions SET next_sync_at = now() WHERE tenant_id = $1 AND next_sync_at IS NOT NULL',
          [tenant.id],
        );
        expect((await retrieve(who.client, entryId)).status).toBe(status);
      });
    await topology.installation.kill('vault-1');
    const pending = await who.client.post(`${BREAKGLASS}/activate`, { ...WHY, sealedCode });
    expect(pending).toMatchObject({ status: 503, body: { code: 'activation_pending' } });
    expect((await who.client.post(`${BREAKGLASS}/activate`, WHY)).body.code).toBe('breakglass_open');
    await restartReachable(topology.installation, 'vault-1');
    await reaches(200);
    await topology.installation.kill('vault-1');
    const ending = await who.client.post(`${BREAKGLASS}/deactivate`, {});
    expect(ending).toMatchObject({ status: 503, body: { code: 'deactivation_pending' } });
    await restartReachable(topology.installation, 'vault-1');
    await reaches(403);
  });
}
