import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '@claviger/backing-servers';
import { createDatabase, type Database, migrate, type Tx } from '@claviger/database';
import { type Anomaly, createLogger, type ReportAnomaly } from '@claviger/service-kit';
import { startFaultyProxy } from '@claviger/targets';
import {
  eventually,
  type ScratchDatabase,
  type ScratchSchema,
  startScratchDatabase,
} from '@claviger/testkit';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  type Cluster,
  createCluster,
  createServiceReplicas,
  type Leadership,
  LeadershipLost,
  type LeadershipSchema,
  lastReplicaMigration,
  leadershipMigration,
  startDuty,
  type Timing,
  timingOf,
} from './index.ts';

/** Longer than pauses of a busy machine, so that no leader loses its lease unintentionally. */
const timing = timingOf(10_000);
/** For leases that must expire. */
const shortTiming = timingOf(1_200);
const logger = createLogger({
  service: 'test',
  node: 'test-1',
  level: 'silent',
});

let folder: string;
let redis: RedisServer;
let direct: Redis;
let scratch: ScratchDatabase;
let schema: ScratchSchema;
let database: Database<LeadershipSchema>;
let started: AsyncDisposable[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claviger-cluster-'));
  await chmod(folder, 0o711);
  redis = await startRedis({ dataDir: join(folder, 'redis'), logFile: join(folder, 'redis.log') });
  direct = new Redis({ host: redis.host, port: redis.port, password: redis.password });
  scratch = await startScratchDatabase();
  schema = await scratch.createSchema();
  await migrate(schema, [
    leadershipMigration,
    lastReplicaMigration,
    {
      name: '0001-writes',
      sql: `CREATE TABLE writes (number bigint GENERATED ALWAYS AS IDENTITY, role text, term bigint, node text);
        COMMENT ON TABLE writes IS 'tenantless: a test';
        GRANT SELECT, INSERT ON writes TO ${schema.systemUser};`,
    },
  ]);
  database = createDatabase<LeadershipSchema>(schema);
});
afterEach(async () => {
  await Promise.all(started.map((each) => each[Symbol.asyncDispose]()));
  started = [];
});
afterAll(async () => {
  direct?.disconnect();
  await database?.close();
  await scratch?.[Symbol.asyncDispose]();
  await redis?.stop();
  await rm(folder, { recursive: true, force: true });
});

function replica(
  service: string,
  node: string,
  options: { readonly port?: number; readonly timing?: Timing; readonly reportAnomaly?: ReportAnomaly } = {},
): Cluster {
  const cluster = createCluster({
    service,
    node,
    version: '1',
    redis: { host: '127.0.0.1', port: options.port ?? redis.port, password: redis.password },
    database,
    logger,
    timing: options.timing ?? timing,
    reportAnomaly: options.reportAnomaly,
  });
  started.push(cluster);
  return cluster;
}

const write = (tx: Tx<LeadershipSchema>, { role, term }: Leadership, node: string) =>
  sql`INSERT INTO writes (role, term, node) VALUES (${role}, ${term}, ${node})`.execute(tx);

function leaderOf(clusters: readonly Cluster[]): Cluster {
  const leaders = clusters.filter((each) => each.leadership());
  expect(leaders.length).toBe(1);
  return leaders[0]!;
}

test('a single replica leads with its first heartbeat, and one of three leads', async () => {
  const first = replica('alone', 'a');
  await eventually(() => expect(first.leadership()?.term).toBe(1));
  const all = [first, replica('alone', 'b'), replica('alone', 'c')];
  await eventually(async () => expect((await first.store.list()).replicas.length).toBe(3));
  expect(leaderOf(all)).toBe(first);
});

test('when a leader stops, another leads at once, in the next term', async () => {
  const all = [replica('stops', 'a'), replica('stops', 'b'), replica('stops', 'c')];
  const first = await eventually(() => leaderOf(all));
  const { term } = first.leadership()!;
  await first[Symbol.asyncDispose]();
  const second = await eventually(() => leaderOf(all.filter((each) => each !== first)));
  expect(second.leadership()!.term).toBe(term + 1);
});

test('F-19 an emptied Redis does not reset terms, and no replica writes in an older term', async () => {
  const all = ['a', 'b', 'c'].map((node) => replica('emptied', node, { timing: shortTiming }));
  const duties = all.map((cluster) =>
    startDuty({
      cluster,
      name: 'write',
      everyMs: 10,
      run: (leadership) =>
        database.system(async (tx) => {
          await leadership.assert(tx);
          await write(tx, leadership, cluster.node);
        }),
    }),
  );
  started.unshift(...duties);
  let term = 0;
  for (let round = 0; round < 5; round += 1) {
    await eventually(() => expect(leaderOf(all).leadership()!.term).toBeGreaterThan(term));
    term = leaderOf(all).leadership()!.term;
    await eventually(async () =>
      expect(
        (
          await scratch.query(`SELECT 1 FROM ${schema.schema}.writes WHERE role = 'emptied' AND term >= $1`, [
            term,
          ])
        ).length,
      ).toBeGreaterThan(0),
    );
    await direct.flushall();
  }
  const rows = await scratch.query<{ term: string; node: string }>(
    `SELECT term, node FROM ${schema.schema}.writes WHERE role = 'emptied' ORDER BY number`,
  );
  const terms = rows.map((row) => Number(row.term));
  expect(terms).toEqual(terms.toSorted((a, b) => a - b));
  for (const [, group] of Map.groupBy(rows, (row) => row.term))
    expect(new Set(group.map((row) => row.node)).size).toBe(1);
});

test('an older leader cannot commit once a newer term has begun', async () => {
  const old = replica('fenced', 'a');
  const leadership = await eventually(() => {
    expect(old.leadership()).toBeDefined();
    return old.leadership()!;
  });
  await database.system((tx) => sql`SELECT raise_leader_term('fenced', 'b')`.execute(tx));
  const late = database.system(async (tx) => {
    await leadership.assert(tx);
    await write(tx, leadership, 'a');
  });
  await expect(late).rejects.toThrow(LeadershipLost);
  expect(leadership.signal.aborted).toBe(true);
});

test('F-22 a node whose Redis hangs steps down by its own clock, and another leads', async () => {
  await using proxy = await startFaultyProxy({ host: '127.0.0.1', port: redis.port });
  const cutOff = replica('silent', 'a', { port: proxy.port, timing: shortTiming });
  const leadership = await eventually(() => {
    expect(cutOff.leadership()).toBeDefined();
    return cutOff.leadership()!;
  });
  const other = replica('silent', 'b', { timing: shortTiming });
  await eventually(async () => expect((await other.store.list()).replicas.length).toBe(2));
  await proxy.setMode({ kind: 'blackhole' });
  await eventually(() => expect(other.leadership()).toBeDefined());
  expect(leadership.holds()).toBe(false);
  await eventually(() => expect(leadership.signal.aborted).toBe(true));
  await expect(database.system((tx) => leadership.assert(tx))).rejects.toThrow(LeadershipLost);
});

test('a demoted node stops leading at once, and cannot lead until it is readmitted, even if Redis is emptied', async () => {
  const [a, b] = [replica('demoted', 'a'), replica('demoted', 'b')];
  const leader = await eventually(() => leaderOf([a, b]));
  const other = leader === a ? b : a;
  const held = leader.leadership()!;
  const replicas = createServiceReplicas(other, database);
  const order = { node: leader.node, reason: 'a test', demotedBy: 'tester', force: false };
  expect(await replicas.standDown(order)).toEqual({ changed: true, wasLast: false });
  // Before the node has learned of it.
  await expect(database.system((tx) => held.assert(tx))).rejects.toThrow(LeadershipLost);
  await eventually(() => expect(other.leadership()).toBeDefined());
  expect(await replicas.standDown({ ...order, reason: 'again' })).toMatchObject({ changed: false });
  await direct.flushall();
  await eventually(() => expect(leaderOf([a, b])).toBe(other));
  await expect(replicas.stand(leader.node)).rejects.toMatchObject({ code: 'node_demoted' });
  const demoted = (await replicas.describe()).demoted.map(({ node, reason }) => ({ node, reason }));
  expect(demoted).toEqual([{ node: leader.node, reason: 'a test' }]);
  expect(await replicas.readmit(leader.node)).toBe(true);
  const term = await eventually(() =>
    replicas.stand(leader.node).catch((error: { code?: string }) => {
      // A request that timed out may have taken effect.
      if (error.code !== 'node_leads') throw error;
      return leader.leadership()!.term;
    }),
  );
  // PostgreSQL may have the term before the node knows it.
  await eventually(() => expect(leader.leadership()).toMatchObject({ term }));
});

test('a nominated node leads the next term; the leader, an unknown and a silent node are refused', async () => {
  const all = ['a', 'b', 'c'].map((node) => replica('named', node));
  const first = await eventually(() => leaderOf(all));
  await eventually(async () => expect((await first.store.list()).replicas.length).toBe(3));
  const { term } = first.leadership()!;
  const replicas = createServiceReplicas(first, database);
  const named = all.find((each) => each !== first)!;
  expect(await replicas.stand(named.node)).toBe(term + 1);
  await eventually(() => expect(leaderOf(all)).toBe(named));
  await expect(replicas.stand(named.node)).rejects.toMatchObject({ code: 'node_leads' });
  await expect(replicas.stand('nobody')).rejects.toMatchObject({ code: 'node_unknown' });
  await direct.zadd('claviger:cluster:{named}:beats', Date.now() - 20_000, 'gone');
  await expect(replicas.stand('gone')).rejects.toMatchObject({ code: 'node_silent' });
});

test('the last replica that may lead is demoted only by force, also with concurrent orders or without Redis', async () => {
  const all = ['a', 'b', 'c'].map((node) => replica('last', node));
  const first = await eventually(() => leaderOf(all));
  await eventually(async () => expect((await first.store.list()).replicas.length).toBe(3));
  const replicas = createServiceReplicas(first, database);
  const order = (node: string, force = false) =>
    replicas.standDown({ node, reason: 'a test', demotedBy: 'tester', force });
  await order('a');
  const crossed = await Promise.allSettled([order('b'), order('c')]);
  expect(crossed.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  const { demoted } = await replicas.describe();
  expect(demoted).toHaveLength(2);
  const last = ['b', 'c'].find((node) => !demoted.some((each) => each.node === node))!;
  await expect(order(last)).rejects.toMatchObject({ reason: 'conflict', code: 'last_replica' });
  // It is unknown whether another one lives, which counts as none.
  const proxy = await startFaultyProxy({ host: '127.0.0.1', port: redis.port });
  started.push(proxy);
  const apart = replica('last', last, { port: proxy.port });
  await proxy.setMode({ kind: 'refuse' });
  const unknowing = createServiceReplicas(apart, database);
  const blind = { node: last, reason: 'a test', demotedBy: 'tester', force: false };
  await expect(unknowing.standDown(blind)).rejects.toMatchObject({ code: 'last_replica' });
  expect(await order(last, true)).toEqual({ changed: true, wasLast: true });
  expect((await replicas.describe()).demoted).toHaveLength(3);
});

test('two living processes with one node name both report it; a restarted one does not', async () => {
  const heard: string[] = [];
  const watched = (service: string, node: string, process: string, options: { port?: number } = {}) =>
    replica(service, node, {
      ...options,
      timing: shortTiming,
      reportAnomaly: ({ alert, subject }: Anomaly) => void heard.push(`${process} ${alert} ${subject.id}`),
    });
  // Redis sees a killed process: it never deregistered.
  const proxy = await startFaultyProxy({ host: '127.0.0.1', port: redis.port });
  started.push(proxy);
  const killed = watched('again', 'x', 'former', { port: proxy.port });
  await eventually(() => expect(killed.leadership()).toBeDefined());
  await proxy.setMode({ kind: 'refuse' });
  const next = watched('again', 'x', 'next');
  await eventually(() => expect(next.leadership()).toBeDefined());

  watched('twice', 'a', 'one');
  watched('twice', 'a', 'two');
  watched('twice', 'b', 'another');
  await eventually(() => {
    for (const process of ['one', 'two']) expect(heard).toContain(`${process} node_name_twice twice/a`);
  });
  expect(heard.filter((each) => !each.endsWith(' twice/a'))).toEqual([]);
});
