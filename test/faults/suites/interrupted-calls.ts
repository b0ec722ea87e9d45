import { randomUUID } from 'node:crypto';
import { eventually, type RestAnswer, type RestClient } from '@claviger/testkit';
import { beforeAll, expect, test } from 'vitest';
import { freeze } from '../../support/freeze.ts';
import { createPeople, type People, requestAccess } from '../../support/main-job.ts';
import type { Topology } from '../../support/topology.ts';

/** A call that a killed, stopped or paused process interrupts has one effect or none. */
export function interruptedCalls(topology: Topology): void {
  let people: People;
  beforeAll(async () => {
    people = await createPeople(await topology.network.createTenant());
  });

  const rowsOf = <R extends object>(text: string, values: unknown[] = []): Promise<R[]> =>
    topology.network.superuser(async (db) => (await db.query<R>(text, values)).rows);

  /** Request ids of the retrievals of one entry in the log. */
  const loggedRetrievals = async (entryId: string): Promise<string[]> =>
    (
      await rowsOf<{ request_id: string }>(
        `SELECT request_id FROM audit.events
        WHERE action = 'vault.entry.retrieved' AND outcome = 'allowed' AND subject_id = $1`,
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

  interface Retrieval {
    readonly requestId: string;
    /** undefined without an answer. */
    readonly answer: RestAnswer | undefined;
  }

  async function retrieveBy(client: RestClient, entryId: string): Promise<Retrieval> {
    const requestId = randomUUID();
    const answer = await client
      .post(
        `/api/v1/vault/entries/${entryId}/retrieve`,
        { reason: 'interrupted' },
        { headers: { 'x-request-id': requestId } },
      )
      .catch(() => undefined);
    return { requestId, answer };
  }

  const isSeen = ({ answer }: Retrieval): boolean => answer?.status === 200;

  test('F-01 a gateway killed while it holds the secret: the log has exactly one retrieval', async () => {
    const { installation } = topology;
    const entryId = await note();
    topology.arm('gateway-1', 'gateway.after_disclosure=crash');
    const tries: string[] = [];
    await eventually(async () => {
      const { requestId, answer } = await retrieveBy(people.admin, entryId);
      tries.push(requestId);
      expect(answer).toBeUndefined();
      // A call on a connection to the former gateway reached no process.
      expect(installation.pid('gateway-1')).toBeUndefined();
    });
    await topology.recover('gateway-1');
    const [lost] = await eventually(async () => {
      const logged = await loggedRetrievals(entryId);
      expect(logged).toHaveLength(1);
      return logged;
    });
    expect(tries).toContain(lost);
    const again = await eventually(async () => {
      const tried = await retrieveBy(people.admin, entryId);
      expect(isSeen(tried)).toBe(true);
      return tried;
    });
    await eventually(async () =>
      expect((await loggedRetrievals(entryId)).toSorted()).toEqual([lost, again.requestId].toSorted()),
    );
  });

  test.each([
    ['before', true],
    ['after', false],
  ])(
    'F-08 auth killed %s it commits a refresh: the token works at most once, and one token family remains',
    async (moment, isUnused) => {
      const { network } = topology;
      const user = await people.tenant.createUser(['requester']);
      const signedIn = await network.anonymous.must('POST', '/api/v1/auth/login', {
        tenant: people.tenant.name,
        username: user.username,
        password: user.password,
      });
      const refresh = () =>
        network.anonymous.post('/api/v1/auth/refresh', { refresh_token: signedIn.refresh_token });
      topology.arm('auth-1', `auth.refresh.${moment}_commit=crash`);
      expect((await refresh()).status).toBe(503);
      await topology.recover('auth-1');

      const settled = await eventually(async () => {
        const answer = await refresh();
        // A token that was used a moment ago is answered with "in progress".
        expect(answer.status).not.toBe(503);
        return answer;
      });
      expect(settled.status === 200).toBe(isUnused);
      if (!isUnused) expect([401, 409]).toContain(settled.status);
      expect([401, 409]).toContain((await refresh()).status);
      const families = await rowsOf<{ unused: number }>(
        `SELECT count(*) FILTER (WHERE t.used_at IS NULL)::int AS unused
       FROM auth.refresh_tokens t JOIN auth.sessions s ON s.tenant_id = t.tenant_id AND s.id = t.session_id
      WHERE s.user_id = $1 AND s.revoked_at IS NULL GROUP BY s.id`,
        [user.id],
      );
      expect(families.every(({ unused }) => unused <= 1)).toBe(true);
    },
  );

  test('F-15 PostgreSQL paused: calls are refused, no queue grows, and recovery is automatic', async () => {
    const { installation, network } = topology;
    const entryId = await note();
    // A token valid for minutes: a renewal while the database is paused might be lost.
    const client = network.anonymous.as(await people.tenant.admin.freshToken());
    const pids = () => ['gateway-1', 'auth-1', 'vault-1', 'workflow-1', 'audit-1'].map(installation.pid);
    const before = pids();
    const seen: Retrieval[] = [await retrieveBy(client, entryId)];
    expect(seen.every(isSeen)).toBe(true);
    {
      using _frozen = freeze(installation.servers.postgres.pid!);
      const refused = await Promise.all(Array.from({ length: 50 }, () => retrieveBy(client, entryId)));
      // The result of a statement that had reached the database is unknown: 504.
      for (const { answer } of refused) expect([503, 504]).toContain(answer?.status);
      await eventually(async () =>
        expect((await network.anonymous.get('/system/health/ready')).status).toBe(503),
      );
      expect((await network.anonymous.get('/system/health/live')).status).toBe(200);
    }
    seen.push(
      await eventually(async () => {
        const tried = await retrieveBy(client, entryId);
        expect(isSeen(tried)).toBe(true);
        return tried;
      }),
    );
    await installation.waitUntilReady();
    expect(pids()).toEqual(before);
    await eventually(async () => {
      const logged = await loggedRetrievals(entryId);
      expect(new Set(logged).size).toBe(logged.length);
      expect(logged).toEqual(expect.arrayContaining(seen.map(({ requestId }) => requestId)));
    });
  });

  test('F-53 services stopped under load finish running calls: each answered call has one effect', async () => {
    const { installation } = topology;
    const entryId = await note();
    const requests: string[] = [];
    for (let n = 0; n < 6; n += 1) requests.push(await requestAccess(people, await note()));
    const approve = (id: string) =>
      people.approver.client.post(`/api/v1/requests/${id}/approve`, {}).catch(() => undefined);
    let running = true;
    const seen: string[] = [];
    const load = Promise.all(
      Array.from({ length: 6 }, async () => {
        while (running) {
          const tried = await retrieveBy(people.admin, entryId);
          if (isSeen(tried)) seen.push(tried.requestId);
          // A refused client tries again after a short pause, on purpose.
          else await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }),
    );
    const more = async () => {
      const before = seen.length;
      await expect.poll(() => seen.length).toBeGreaterThan(before + 10);
    };
    await more();
    const approvals = Promise.all(requests.map(approve));
    for (const node of ['workflow-1', 'vault-1']) {
      await installation.kill(node, 'SIGTERM');
      await installation.restart(node);
      await more();
    }
    running = false;
    await Promise.all([load, approvals]);
    await installation.waitUntilReady();
    for (const id of requests)
      await eventually(async () => expect([200, 409]).toContain((await approve(id))?.status));
    const decided = await rowsOf<{ grants: number; approvals: number }>(
      `SELECT (SELECT count(*)::int FROM workflow.grants g WHERE g.request_id = r.id) AS grants,
            (SELECT count(*)::int FROM workflow.decisions d WHERE d.request_id = r.id) AS approvals
       FROM workflow.requests r WHERE r.id = ANY ($1::uuid[])`,
      [requests],
    );
    expect(decided).toEqual(requests.map(() => ({ grants: 1, approvals: 1 })));
    await eventually(async () => {
      const logged = await loggedRetrievals(entryId);
      expect(new Set(logged).size).toBe(logged.length);
      expect(seen.filter((id) => !logged.includes(id))).toEqual([]);
    });
  });
}
