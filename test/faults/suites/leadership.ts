import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { eventually, type RestClient } from '@claviger/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectFenced, leaderWrites, leaseOf, noteLeaderWrites } from '../../support/leader-writes.ts';
import type { Topology } from '../../support/topology.ts';

/**
 * Leaders that are killed, paused (`rounds` times) or demoted. Requires three replicas of vault and workflow.
 */
export function leadership(topology: Topology, rounds: number): void {
  let redis: Redis;
  let admin: RestClient;

  interface Service {
    readonly service: string;
    readonly leader: string;
    readonly term: number;
    readonly problem: string;
    readonly replicas: readonly { readonly node: string; readonly role: string }[];
  }

  const VAULTS = ['vault-1', 'vault-2', 'vault-3'];

  beforeAll(async () => {
    const { network, installation } = topology;
    await noteLeaderWrites(network, 'vault');
    await noteLeaderWrites(network, 'workflow');
    const { host, port, password } = installation.servers.redis;
    redis = new Redis({ host, port, password });
    admin = (await network.createTenant()).admin.client;
  });
  afterAll(() => redis?.disconnect());

  const query = <R extends object>(text: string, values: unknown[] = []): Promise<R[]> =>
    topology.network.superuser(async (db) => (await db.query<R>(text, values)).rows);

  async function note(): Promise<string> {
    const entry = await admin.must('POST', '/api/v1/vault/entries', {
      name: `note-${randomUUID()}`,
      type: 'note',
      secret: 'value',
    });
    return entry.id as string;
  }

  /**
   * Makes the schedule of an entry due. A note cannot be rotated, so each run of its schedule leaves one
   * refusal.
   */
  const makeDue = (entryId: string) =>
    query('UPDATE vault.entries SET next_rotation_at = now() WHERE id = $1', [entryId]);

  async function runsOf(entryIds: readonly string[]): Promise<number[]> {
    const rows = await query<{ id: string }>(
      `SELECT payload::jsonb ->> 'subjectId' AS id FROM vault.outbox
      WHERE payload::jsonb ->> 'action' = 'vault.entry.rotation-requested'`,
    );
    return entryIds.map((id) => rows.filter((row) => row.id === id).length);
  }

  /** Waits until a leader of a later term has written; returns its lease. */
  function nextToAct(service: string, after: number) {
    return eventually(
      async () => {
        const [lease, writes] = await Promise.all([
          leaseOf(topology.network, service),
          leaderWrites(topology.network, service),
        ]);
        expect(lease.term).toBeGreaterThan(after);
        expect(writes.some((write) => write.term > after)).toBe(true);
        return lease;
      },
      { what: `a write of ${service} in a term after ${after}` },
    );
  }

  test('after a leader is killed another is elected and continues its duties', async () => {
    const { installation, network } = topology;
    const before = await leaseOf(network, 'workflow');
    await installation.kill(before.node);
    const { term } = await leaseOf(network, 'workflow');
    // A refusal leaves an event, which the leader must relay.
    await eventually(async () => {
      const refused = await admin.post('/api/v1/requests', {
        entryId: randomUUID(),
        reason: 'x',
        minutes: 5,
      });
      expect(refused.status).toBeGreaterThanOrEqual(400);
      expect(refused.status).toBeLessThan(500);
    });
    const after = await nextToAct('workflow', term);
    expect(after.node).not.toBe(before.node);
    await installation.restart(before.node);
  });

  /** Pauses the leader of the vault; if another was elected just before, pauses that one. */
  async function pausedLeader() {
    const { installation, network } = topology;
    for (;;) {
      const { node } = await leaseOf(network, 'vault');
      await installation.kill(node, 'SIGSTOP');
      const lease = await leaseOf(network, 'vault');
      if (lease.node === node) return lease;
      await installation.kill(node, 'SIGCONT');
    }
  }

  test('F-19 F-23 a leader paused past its lease writes nothing more, even if Redis was emptied; each schedule runs once', async () => {
    const { installation, network } = topology;
    const entries: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const [before, during] = [await note(), await note()];
      entries.push(before, during);
      await makeDue(before);
      const lease = await pausedLeader();
      expect(VAULTS).toContain(lease.node);
      await makeDue(during);
      if (round % 2 === 1) await redis.flushall();
      const next = await nextToAct('vault', lease.term);
      await installation.kill(lease.node, 'SIGCONT');
      expect(next.node).not.toBe(lease.node);
    }
    const once = entries.map(() => 1);
    await eventually(async () => expect(await runsOf(entries)).toEqual(once));
    // The paused process has had time to run by now.
    const { node } = await leaseOf(network, 'vault');
    expect(VAULTS).toContain(node);
    expectFenced(await leaderWrites(network, 'vault'));
    expectFenced(await leaderWrites(network, 'workflow'));
    expect(await runsOf(entries)).toEqual(once);
  });

  test('promoting and demoting under load loses no request', async () => {
    const { network } = topology;
    // A second factor is recent for some minutes only, so it is proved here and not at the start.
    const { client: platform } = await network.createPlatformAdministrator();
    let running = true;
    const statuses: number[] = [];
    const load = Promise.all(
      [1, 2, 3].map(async () => {
        while (running) {
          const answer = await admin.post('/api/v1/vault/entries', {
            name: `load-${randomUUID()}`,
            type: 'note',
            secret: 'value',
          });
          statuses.push(answer.status);
          // The pause limits the load, on purpose.
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }),
    );
    const order = (verb: string, node: string) =>
      platform.post(`/api/v1/admin/cluster/${verb}`, { service: 'vault', node, reason: 'a test' });
    for (let round = 0; round < 3; round += 1) {
      // Refused until Redis has a heartbeat of the replica, or if it has become leader in the meantime.
      const other = await eventually(async () => {
        const lease = await leaseOf(network, 'vault');
        const node = VAULTS.find((each) => each !== lease.node)!;
        const promoted = await order('promote', node);
        expect({ status: promoted.status, body: promoted.body }).toMatchObject({
          status: 200,
          body: { service: 'vault', node },
        });
        expect(promoted.body.term).toBeGreaterThan(lease.term);
        return node;
      });
      expect((await order('demote', other)).body).toMatchObject({ changed: true });
      await eventually(async () => {
        const now = await leaseOf(network, 'vault');
        expect(VAULTS.filter((node) => node !== other)).toContain(now.node);
      });
      const refused = await order('promote', other);
      expect([refused.status, refused.body.code]).toEqual([409, 'node_demoted']);
      // PostgreSQL keeps what Redis loses.
      await redis.flushall();
      expect((await order('promote', other)).body.code).toBe('node_demoted');
      expect((await order('readmit', other)).body).toMatchObject({ changed: true });
    }
    await expect.poll(() => statuses.length).toBeGreaterThan(20);
    running = false;
    await load;
    expect(statuses.filter((status) => status !== 201)).toEqual([]);
    expectFenced(await leaderWrites(network, 'vault'));
  });

  test('the only replica of a service is demoted only by force, with an event and a log line', async () => {
    const { network, installation } = topology;
    const { client: platform } = await network.createPlatformAdministrator();
    const demote = (force?: boolean) =>
      platform.post('/api/v1/admin/cluster/demote', {
        service: 'audit',
        node: 'audit-1',
        reason: 'a test',
        force,
      });
    const eventsOf = async (action: string) =>
      (await platform.must('GET', `/api/v1/audit/events?action=${action}&subjectId=audit/audit-1`)).items as {
        outcome: string;
        reason: string;
      }[];
    const refused = await demote();
    expect([refused.status, refused.body.code]).toEqual([409, 'last_replica']);
    await eventually(async () =>
      expect(await eventsOf('cluster.node-demoted')).toMatchObject([
        { outcome: 'failed', reason: 'last_replica' },
      ]),
    );
    expect((await demote(true)).body).toMatchObject({ changed: true, wasLast: true });
    await eventually(async () => expect(await eventsOf('anomaly.last-replica-demoted')).toHaveLength(1));
    expect(readFileSync(installation.logFiles['auth-1']!, 'utf8')).toContain(
      '"alert":"last_replica_demoted"',
    );
    await platform.must('POST', '/api/v1/admin/cluster/readmit', {
      service: 'audit',
      node: 'audit-1',
      reason: 'a test',
    });
  });

  test('the status names every replica of every service, and a refusal names the replica that cannot lead', async () => {
    const { client: platform } = await topology.network.createPlatformAdministrator();
    const order = (node: string) =>
      platform.post('/api/v1/admin/cluster/promote', { service: 'vault', node, reason: 'a test' });
    const status = await eventually(async () => {
      const answer = (await platform.must('GET', '/api/v1/admin/cluster/status')) as unknown as {
        services: Service[];
      };
      // Redis was just emptied: each replica appears again with its next heartbeat.
      const named = answer.services.flatMap(({ replicas }) => replicas.map(({ node }) => node));
      expect(named.toSorted()).toEqual(topology.installation.nodes.map(({ node }) => node).toSorted());
      for (const { service, leader, problem, replicas } of answer.services) {
        expect({ service, problem }).toEqual({ service, problem: '' });
        if (service !== 'gateway') expect(replicas.map(({ node }) => node)).toContain(leader);
        expect(replicas.filter(({ role }) => role === 'silent')).toEqual([]);
      }
      return answer;
    });
    for (const { service, leader, term, replicas } of status.services) {
      if (service === 'gateway') continue;
      expect(term).toBeGreaterThan(0);
      expect(replicas.filter(({ role }) => role === 'leader').map(({ node }) => node)).toEqual([leader]);
    }
    const unknown = await order('vault-9');
    expect([unknown.status, unknown.body.code]).toEqual([404, 'node_unknown']);
    const leader = status.services.find(({ service }) => service === 'vault')!.leader;
    expect((await order(leader)).body.code).toBe('node_leads');
    const follower = VAULTS.find((node) => node !== leader)!;
    await topology.installation.kill(follower);
    await eventually(async () => expect((await order(follower)).body.code).toBe('node_silent'));
    await topology.installation.restart(follower);
  });
}
