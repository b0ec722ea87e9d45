import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type PostgresTarget, startPostgresTarget } from '@claviger/targets';
import { eventually } from '@claviger/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createPeople,
  grantAccess,
  type People,
  postgresAccount,
  requestAccess,
  retrieve,
  rotationReaches,
} from '../../support/main-job.ts';
import type { Topology } from '../../support/topology.ts';

/** No event or effect is lost or doubled when NATS or Redis lose their data, or PostgreSQL is unreachable. */
export function lostStores(topology: Topology): void {
  let people: People;
  let target: PostgresTarget;

  beforeAll(async () => {
    target = await startPostgresTarget();
    await topology.network.openTargets(target.port);
    people = await createPeople(await topology.network.createTenant());
  });
  afterAll(() => target?.stop());

  const rowsOf = <R extends object>(text: string, values: unknown[] = []): Promise<R[]> =>
    topology.network.superuser(async (db) => (await db.query<R>(text, values)).rows);

  /** Request ids of the sequenced retrievals of one entry. */
  const sealedRetrievals = async (entryId: string): Promise<string[]> =>
    (
      await rowsOf<{ request_id: string }>(
        `SELECT request_id FROM audit.events
        WHERE action = 'vault.entry.retrieved' AND subject_id = $1 AND sequence IS NOT NULL`,
        [entryId],
      )
    ).map((row) => row.request_id);

  async function note(): Promise<string> {
    const entry = await people.admin.must('POST', '/api/v1/vault/entries', {
      name: `note-${randomUUID()}`,
      type: 'note',
      secret: 'value',
    });
    return entry.id as string;
  }

  /** Retrieves with a new request id; returns the id if the secret was disclosed. */
  async function see(entryId: string): Promise<string | undefined> {
    const requestId = randomUUID();
    const answer = await people.admin
      .post(
        `/api/v1/vault/entries/${entryId}/retrieve`,
        { reason: 'load' },
        { headers: { 'x-request-id': requestId } },
      )
      .catch(() => undefined);
    return answer?.status === 200 ? requestId : undefined;
  }

  test('F-28 events that NATS stored and lost while audit was down are in the log once', async () => {
    const { installation } = topology;
    const entryId = await note();
    await installation.kill('audit-1');
    const seen: (string | undefined)[] = [];
    for (let turn = 0; turn < 30; turn += 1) seen.push(await see(entryId));
    await eventually(async () =>
      expect(await rowsOf('SELECT event_id FROM vault.outbox WHERE published_at IS NULL')).toEqual([]),
    );
    const { nats } = installation.servers;
    await nats.stop();
    rmSync(join(nats.dataDir!, 'store'), { recursive: true });
    seen.push(await see(entryId));
    await nats.start();
    await installation.restart('audit-1');
    expect(seen).not.toContain(undefined);
    await eventually(
      async () => expect((await sealedRetrievals(entryId)).toSorted()).toEqual(seen.toSorted()),
      { intervalMs: 300 },
    );
  });

  test('F-19 Redis killed and emptied: a running rotation completes, and a logout stays in effect', async () => {
    const { installation, network } = topology;
    const { redis } = installation.servers;
    const account = await postgresAccount(people.admin, target);
    const leaver = await people.tenant.createUser(['requester']);
    await leaver.client.must('POST', '/api/v1/auth/logout', {});
    redis.kill('SIGKILL');
    await redis.stop();
    const asked = await people.admin.post(`/api/v1/vault/entries/${account.entryId}/rotate`, {
      reason: 'no Redis',
    });
    expect(asked.status).toBe(202);
    // The sweep finds work that the queue did not receive.
    await rotationReaches(people.admin, account.entryId, ['verified']);
    expect((await leaver.client.get('/api/v1/requests')).status).toBe(401);
    for (const file of ['dump.rdb', 'appendonlydir'])
      rmSync(join(redis.dataDir!, file), { recursive: true, force: true });
    await redis.start();
    expect(await target.accepts(account.username, await retrieve(people.admin, account.entryId))).toBe(true);
    expect((await leaver.client.get('/api/v1/requests')).status).toBe(401);
    const again = await people.admin.post(`/api/v1/vault/entries/${account.entryId}/rotate`, {
      reason: 'an empty Redis',
    });
    expect(again.status).toBe(202);
    await rotationReaches(people.admin, account.entryId, ['verified']);
    await eventually(async () =>
      expect(await rowsOf('SELECT event_id FROM vault.outbox WHERE published_at IS NULL')).toEqual([]),
    );
    expect(readFileSync(network.access.logFiles['vault-1']!, 'utf8')).not.toContain('rows were not removed');
  });

  test('F-13 PostgreSQL unreachable under load: acknowledged effects remain, once, and recovery is automatic', async () => {
    const { installation } = topology;
    const { postgres } = installation.servers;
    const entryId = await note();
    const [grants, requests] = [[] as string[], [] as string[]];
    for (let turn = 0; turn < 4; turn += 1) grants.push(await grantAccess(people, await note()));
    for (let turn = 0; turn < 4; turn += 1) requests.push(await requestAccess(people, await note()));
    let running = true;
    const acknowledged: string[] = [];
    const load = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (running) {
          const id = await see(entryId);
          if (id) acknowledged.push(id);
          // A refused client tries again after a short pause, on purpose.
          else await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }),
    );
    await expect.poll(() => acknowledged.length, { timeout: 60_000 }).toBeGreaterThan(20);
    const take = (grantId: string) =>
      people.requester.client.get(`/api/v1/grants/${grantId}/credentials`).catch(() => undefined);
    const approve = (requestId: string) =>
      people.approver.client.post(`/api/v1/requests/${requestId}/approve`, {}).catch(() => undefined);
    const inFlight = Promise.all([...grants.map(take), ...requests.map(approve)]);
    // Immediate shutdown ends every backend and discards uncommitted changes.
    postgres.kill('SIGQUIT');
    await expect.poll(() => postgres.pid, { timeout: 60_000 }).toBeUndefined();
    const first = await inFlight;
    await postgres.start();
    const before = acknowledged.length;
    await expect.poll(() => acknowledged.length, { timeout: 60_000 }).toBeGreaterThan(before + 20);
    running = false;
    await load;
    await installation.waitUntilReady(30_000);

    const second = await Promise.all(grants.map(take));
    for (const [index, again] of second.entries()) {
      // A lost answer is not given again; a credential that was not delivered is still available.
      if (first[index]?.status === 200) expect(again?.status).toBe(409);
      else expect([200, 409]).toContain(again?.status);
    }
    for (const requestId of requests) await approve(requestId);
    const decided = await rowsOf<{ grants: number; approvals: number }>(
      `SELECT (SELECT count(*)::int FROM workflow.grants g WHERE g.request_id = r.id) AS grants,
            (SELECT count(*)::int FROM workflow.decisions d WHERE d.request_id = r.id) AS approvals
       FROM workflow.requests r WHERE r.id = ANY ($1::uuid[])`,
      [requests],
    );
    expect(decided).toEqual(requests.map(() => ({ grants: 1, approvals: 1 })));
    await eventually(
      async () => {
        const sealed = await sealedRetrievals(entryId);
        expect(new Set(sealed).size).toBe(sealed.length);
        expect(acknowledged.filter((id) => !sealed.includes(id))).toEqual([]);
      },
      { intervalMs: 300 },
    );
  });
}
