import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '@claviger/backing-servers';
import { soleLeadership, soleReplica } from '@claviger/cluster';
import { createDatabase, type Database, migrate, serialized } from '@claviger/database';
import { createEmitter, startRelay } from '@claviger/events';
import { createJobQueues, type JobDefinition } from '@claviger/jobs';
import { eventually, type MigratedDatabase, startMigratedDatabase } from '@claviger/testkit';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { silent as logger } from '../../../test-support.ts';
import { type AuditSchema, migrations } from '../../schema.ts';
import type { ComplianceDeps } from '../deps.ts';
import { queueReport } from '../reports/queue-report.ts';
import { buildReportJob } from './build-report-job.ts';
import { claimReport } from './claim-next.ts';
import type { ClaimedReport } from './claimed-report.ts';
import { holdLease } from './lease.ts';
import { LeaseLost } from './report-problem.ts';
import { type ReportWorker, startReportWorker } from './report-worker.ts';
import { runReport } from './run-report.ts';

const macKey = randomBytes(32);
const emitter = createEmitter({ service: 'audit', macKey });
const { privateKey: treeHead, publicKey: treeHeadPublic } = generateKeyPairSync('ed25519');

let folder: string;
let redis: RedisServer;
let scratch: MigratedDatabase;
let database: Database<AuditSchema>;
let replicas: AsyncDisposableStack;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'report-worker-test-'));
  await chmod(folder, 0o711);
  redis = await startRedis({ dataDir: join(folder, 'redis'), logFile: join(folder, 'redis.log') });
});
beforeEach(async () => {
  replicas = new AsyncDisposableStack();
  scratch = replicas.use(await startMigratedDatabase('audit', (schema) => migrate(schema, migrations)));
  database = createDatabase<AuditSchema>({ ...scratch.schema, poolSize: 8 });
  replicas.defer(() => database.close());
});
afterEach(() => replicas?.disposeAsync());
afterAll(async () => {
  await redis?.stop();
  await rm(folder, { recursive: true, force: true });
});

const depsOf = (node: string): ComplianceDeps => ({
  database,
  emitter,
  logger,
  keys: { treeHead, treeHeadPublic },
  headsFile: { newest: () => undefined, problem: () => undefined },
  // These packages contain only events.
  evidence: {} as ComplianceDeps['evidence'],
  config: { maxPackageMiB: 512, retentionDays: 365, concurrency: 1 },
  node,
  version: '0.1.0',
});

/** The worker of a replica, which makes real packages; `around` runs at the start of each. */
function replica(
  node: string,
  around: (report: ClaimedReport, make: () => Promise<void>, signal: AbortSignal) => Promise<void>,
): ReportWorker {
  const deps = depsOf(node);
  const queues = replicas.use(
    createJobQueues(
      { redis: { host: redis.host, port: redis.port, password: redis.password }, macKey, logger },
      [buildReportJob as JobDefinition<never>],
    ),
  );
  if (node === 'first')
    replicas.use(
      startRelay({ database, logger, cluster: soleReplica(logger), publishers: { job: queues.publisher } }),
    );
  return replicas.use(
    startReportWorker(deps, queues, (report, signal) =>
      around(report, () => runReport(deps, report, signal), signal),
    ),
  );
}

/** Orders packages of different days. */
async function order(tenantId: string, count: number): Promise<string[]> {
  const ids = [];
  for (let n = 1; n <= count; n += 1) {
    const day = `2020-01-${String(n).padStart(2, '0')}`;
    ids.push(
      await database.withTenant(tenantId, (tx) =>
        queueReport(tx, emitter, tenantId, {
          from: day,
          to: day,
          sections: ['events'],
          requestedBy: 'ann',
          requestedByName: 'ann',
        }),
      ),
    );
  }
  return ids;
}

const reportsOf = (tenantId: string) =>
  database.readTenant(tenantId, (reader) =>
    reader
      .selectFrom('compliance_reports')
      .select(['id', 'state', 'attempts', 'lease_owner'])
      .select(sql<boolean>`coalesce(next_attempt_at <= now(), false)`.as('due'))
      .orderBy('from_day')
      .execute(),
  );

const allReady = (...tenants: string[]) =>
  eventually(async () => {
    for (const tenant of tenants)
      for (const report of await reportsOf(tenant)) expect(report).toMatchObject({ state: 'ready' });
  });

/** Simulates an hour: overdue reports and expired leases. */
const hourPasses = (tenantId: string) =>
  database.withTenant(tenantId, (tx) =>
    tx
      .updateTable('compliance_reports')
      .set({
        next_attempt_at: sql<Date>`next_attempt_at - interval '1 hour'`,
        lease_until: sql<Date>`lease_until - interval '1 hour'`,
      })
      .execute(),
  );

test('tenants take turns: a tenant with many queued packages delays another tenant by at most one', async () => {
  const [many, two, one] = [randomUUID(), randomUUID(), randomUUID()];
  const begun: string[] = [];
  const { promise: allWait, resolve: goOn } = Promise.withResolvers<void>();
  replica('first', async ({ tenantId }, make) => {
    begun.push(tenantId);
    await allWait;
    await make();
  });
  await order(many, 5);
  await eventually(() => expect(begun).toEqual([many]));
  await order(two, 2);
  await order(one, 1);
  goOn();
  await allReady(many, two, one);
  expect(begun).toEqual([many, two, one, many, two, many, many, many]);
});

test('each tenant has one package in progress over all replicas, and replicas serve other tenants meanwhile', async () => {
  const [many, two, three] = [randomUUID(), randomUUID(), randomUUID()];
  const begun = new Map<string, number>();
  const most = new Map<string, number>();
  const { promise: othersMade, resolve: goOn } = Promise.withResolvers<void>();
  // Count in the database, which is authoritative: a replica may begin the next package before another one
  // sees the end of the last.
  const count = async (tenantId: string) => {
    const [row] = await scratch.query<{ running: number }>(
      `SELECT count(*)::int AS running FROM ${scratch.schema.schema}.compliance_reports
       WHERE tenant_id = $1 AND state = 'running'`,
      [tenantId],
    );
    begun.set(tenantId, (begun.get(tenantId) ?? 0) + 1);
    most.set(tenantId, Math.max(most.get(tenantId) ?? 0, row!.running));
  };
  for (const node of ['first', 'second', 'third'])
    replica(node, async ({ tenantId }, make) => {
      await count(tenantId);
      if (tenantId === many) await othersMade;
      await make();
    });
  await order(many, 6);
  await eventually(() => expect(begun.get(many)).toBe(1));
  await order(two, 2);
  await order(three, 3);
  await allReady(two, three);
  expect(begun.get(many)).toBe(1);
  goOn();
  await allReady(many);
  expect(Object.fromEntries(most)).toEqual({ [many]: 1, [two]: 1, [three]: 1 });
});

test('a claim waits for a parallel claim of the same tenant and then finds that report in progress', async () => {
  const tenantId = randomUUID();
  const [first, second] = await order(tenantId, 2);
  const { promise: committed, resolve: commit } = Promise.withResolvers<void>();
  const { promise: begun, resolve: hasBegun } = Promise.withResolvers<void>();
  const claiming = database.withTenant(tenantId, async (tx) => {
    await serialized(tx, 'compliance-turn');
    await tx
      .updateTable('compliance_reports')
      .set({ state: 'running', lease_owner: 'else', lease_until: sql<Date>`now() + interval '1 minute'` })
      .where('id', '=', second!)
      .execute();
    hasBegun();
    await committed;
  });
  await begun;
  const other = claimReport(depsOf('other'), tenantId);
  await eventually(async () => {
    const [row] = await scratch.query<{ waiting: number }>(
      `SELECT count(*)::int AS waiting FROM pg_locks JOIN pg_database d ON d.oid = database
       WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()`,
    );
    expect(row?.waiting).toBe(1);
  });
  commit();
  await claiming;
  expect(await other).toBeUndefined();
  expect((await reportsOf(tenantId))[0]).toMatchObject({ id: first, state: 'queued' });
});

test('the sweep makes reports whose job was lost, and reports of killed replicas after their lease has expired', async () => {
  const tenantId = randomUUID();
  const begun: string[] = [];
  // No relay publishes jobs here.
  const worker = replica('second', async ({ id }, make) => {
    begun.push(id);
    await make();
  });
  const ids = await order(tenantId, 2);
  const killed = (await claimReport(depsOf('killed'), tenantId))!;
  expect(killed.id).toBe(ids[0]);
  await worker.sweep(soleLeadership);
  await hourPasses(tenantId);
  await database.withTenant(tenantId, (tx) => holdLease(tx, killed, 10));
  await worker.sweep(soleLeadership);
  expect(begun).toEqual([]);
  await hourPasses(tenantId);
  await worker.sweep(soleLeadership);
  await allReady(tenantId);
  expect(begun).toEqual(ids);
  await expect(database.withTenant(tenantId, (tx) => holdLease(tx, killed, 20))).rejects.toBeInstanceOf(
    LeaseLost,
  );
});

test('a package whose thread fails is retried later, and the next package of its tenant is made meanwhile', async () => {
  const tenantId = randomUUID();
  const begun: string[] = [];
  const worker = replica('first', async ({ id }, make) => {
    begun.push(id);
    if (begun.length === 1) throw new Error('out of memory');
    await make();
  });
  const ids = await order(tenantId, 2);
  await eventually(async () => expect((await reportsOf(tenantId))[1]).toMatchObject({ state: 'ready' }));
  expect((await reportsOf(tenantId))[0]).toMatchObject({ state: 'queued', attempts: 1, due: false });
  await hourPasses(tenantId);
  // Repeat like the duty: a sweep does nothing while the worker ends its last round.
  await eventually(async () => {
    await worker.sweep(soleLeadership);
    expect(await reportsOf(tenantId)).toMatchObject([{ state: 'ready' }, { state: 'ready' }]);
  });
  expect(begun).toEqual([ids[0], ids[1], ids[0]]);
});

test('a stopping replica releases its report', async () => {
  const tenantId = randomUUID();
  const { promise: begun, resolve: hasBegun } = Promise.withResolvers<void>();
  const worker = replica('first', async (_, make, signal) => {
    hasBegun();
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    await make();
  });
  await order(tenantId, 1);
  await begun;
  await worker[Symbol.asyncDispose]();
  expect(await reportsOf(tenantId)).toMatchObject([{ state: 'queued', lease_owner: null }]);
});
