import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '@claviger/backing-servers';
import { soleReplica } from '@claviger/cluster';
import { createDatabase, type Database, migrate } from '@claviger/database';
import { createEmitter, type OutboxSchema, outboxMigration, type Relay, startRelay } from '@claviger/events';
import { createLogger } from '@claviger/service-kit';
import {
  eventually,
  type ScratchDatabase,
  type ScratchSchema,
  startScratchDatabase,
} from '@claviger/testkit';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createJobQueues, type JobContext, type JobDefinition, type JobQueues } from './index.ts';

const TENANT = randomUUID();
const logger = createLogger({ service: 'test', node: 'test-1', level: 'silent' });
const macKey = randomBytes(32);
const payload = z.strictObject({ entryId: z.string() });

let folder: string;
let redis: RedisServer;
let scratch: ScratchDatabase;
let schema: ScratchSchema;
let database: Database<OutboxSchema>;
let relay: Relay | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claviger-jobs-'));
  await chmod(folder, 0o711);
  redis = await startRedis({ dataDir: join(folder, 'redis'), logFile: join(folder, 'redis.log') });
  scratch = await startScratchDatabase();
  schema = await scratch.createSchema();
  await migrate(schema, [outboxMigration]);
  database = createDatabase<OutboxSchema>(schema);
});
afterAll(async () => {
  await database?.close();
  await scratch?.[Symbol.asyncDispose]();
  await redis?.stop();
  await rm(folder, { recursive: true, force: true });
});

function definition(queue: string, attempts = 3): JobDefinition<{ entryId: string }> {
  return { queue, payload, attempts, backoffMs: 50, concurrency: 4 };
}

function server() {
  return { host: redis.host, port: redis.port, password: redis.password };
}

function queuesOf(definitions: JobDefinition<never>[], key = macKey): JobQueues {
  return createJobQueues({ redis: server(), macKey: key, logger }, definitions);
}

/** Queues with a relay; both are closed at the end of the test. */
function running(definitions: JobDefinition<{ entryId: string }>[]) {
  const queues = queuesOf(definitions as never);
  relay = startRelay({
    database,
    logger,
    cluster: soleReplica(logger),
    publishers: { job: queues.publisher },
  });
  const own = relay;
  return {
    queues,
    [Symbol.asyncDispose]: async () => {
      await own[Symbol.asyncDispose]();
      await queues[Symbol.asyncDispose]();
    },
  };
}

const emitter = createEmitter({ service: 'test', macKey });
function queue(name: string, entryId = 'e', tenant = TENANT): Promise<string> {
  return database.withTenant(tenant, (tx) => emitter.job(tx, tenant, name, { entryId }));
}

async function unpublished(): Promise<number> {
  const [row] = await scratch.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM ${schema.schema}.outbox WHERE published_at IS NULL`,
  );
  return row!.n;
}

test('a committed job runs once, with its tenant and payload; one that was rolled back never runs', async () => {
  await using all = running([definition('once.job')]);
  const ran: { entryId: string; context: JobContext }[] = [];
  all.queues.work(
    definition('once.job'),
    async ({ entryId }, context) => void ran.push({ entryId, context }),
  );
  const rolledBack = database.withTenant(TENANT, async (tx) => {
    await emitter.job(tx, TENANT, 'once.job', { entryId: 'never' });
    throw new Error('on purpose');
  });
  await expect(rolledBack).rejects.toThrow('on purpose');
  const ids: string[] = [];
  for (let n = 0; n < 20; n += 1) ids.push(await queue('once.job', `e${n}`));
  await eventually(() => expect(ran.length).toBe(20));
  await eventually(async () => expect(await unpublished()).toBe(0));
  expect(new Set(ran.map(({ context }) => context.jobId))).toEqual(new Set(ids));
  expect(ran.every(({ context }) => context.tenantId === TENANT)).toBe(true);
  expect(ran.map(({ entryId }) => entryId)).not.toContain('never');
});

test('the same row published twice is one job', async () => {
  await using all = running([definition('twice.job')]);
  const id = await queue('twice.job');
  await eventually(async () => expect(await unpublished()).toBe(0));
  await scratch.query(`UPDATE ${schema.schema}.outbox SET published_at = NULL WHERE event_id = $1`, [id]);
  await eventually(async () => expect(await unpublished()).toBe(0));
  let runs = 0;
  all.queues.work(definition('twice.job'), async () => {
    runs += 1;
  });
  await queue('twice.job');
  await eventually(() => expect(runs).toBe(2));
});

test('a job is tried again as defined, then kept as failed', async () => {
  await using all = running([definition('retry.job', 3)]);
  let tries = 0;
  all.queues.work(definition('retry.job', 3), async () => {
    tries += 1;
    throw new Error('on purpose');
  });
  const id = await queue('retry.job');
  const looking = new Queue('retry.job', { connection: server(), prefix: 'claviger' });
  await eventually(async () => expect(await (await looking.getJob(id))?.getState()).toBe('failed'));
  expect(tries).toBe(3);
  await looking.close();
});

test('a job that was modified, moved to another tenant, or queued again under another id is refused', async () => {
  await using all = running([definition('forged.job')]);
  const id = await queue('forged.job', 'sound');
  const looking = new Queue('forged.job', { connection: server(), prefix: 'claviger' });
  const sound = await eventually(async () => {
    const job = await looking.getJob(id);
    expect(job).toBeDefined();
    return job!;
  });
  const forged = [
    { data: { ...sound.data, payload: '{"entryId":"forged"}' }, jobId: id },
    { data: { ...sound.data, tenantId: randomUUID() }, jobId: id },
    { data: { ...sound.data, mac: '' }, jobId: id },
    { data: sound.data, jobId: randomUUID() },
  ];
  await sound.remove();
  const ran: string[] = [];
  all.queues.work(
    definition('forged.job'),
    async ({ entryId }, { tenantId }) => void ran.push(`${entryId} ${tenantId}`),
  );
  for (const { data, jobId } of forged) {
    await looking.add('forged.job', data, { jobId, attempts: 5 });
    await eventually(async () => expect(await (await looking.getJob(jobId))?.getState()).toBe('failed'));
    expect((await looking.getJob(jobId))!.failedReason).toContain('is not valid');
    await (await looking.getJob(jobId))!.remove();
  }
  expect(ran).toEqual([]);
  await looking.add('forged.job', sound.data, { jobId: id });
  await eventually(() => expect(ran).toEqual([`sound ${TENANT}`]));
  await looking.close();
});

test('an invalid payload and an undefined job do not block other jobs', async () => {
  await using all = running([definition('sound.job')]);
  const ran: string[] = [];
  all.queues.work(definition('sound.job'), async ({ entryId }) => void ran.push(entryId));
  await database.withTenant(TENANT, (tx) => emitter.job(tx, TENANT, 'unheard.job', {}));
  await database.withTenant(TENANT, (tx) => emitter.job(tx, TENANT, 'sound.job', { entryId: 5 }));
  await queue('sound.job', 'after');
  await eventually(() => expect(ran).toEqual(['after']));
  // Marked after Redis has it, so possibly after it ran.
  await eventually(async () => expect(await unpublished()).toBe(1));
  await scratch.query(`TRUNCATE ${schema.schema}.outbox`);
});

test('rows wait while Redis is unavailable and run afterwards, and a stop does not wait for a dead server', async () => {
  const all = running([definition('away.job')]);
  const ran: string[] = [];
  all.queues.work(definition('away.job'), async ({ entryId }) => void ran.push(entryId));
  const before = await queue('away.job', 'before');
  const looking = new Queue('away.job', { connection: server(), prefix: 'claviger' });
  await eventually(async () => expect(await (await looking.getJob(before))?.getState()).toBe('completed'));
  await looking.close();
  await eventually(async () => expect(await unpublished()).toBe(0));
  expect(ran).toEqual(['before']);
  redis.kill('SIGKILL');
  await redis.stop();
  await queue('away.job', 'during');
  expect(await unpublished()).toBe(1);
  // Queues that never had a connection also work once the server is available.
  const late = queuesOf([definition('away.job')] as never);
  await redis.start();
  await eventually(() => expect(ran).toEqual(['before', 'during']));
  await late.publisher([]);
  await redis.stop();
  await all[Symbol.asyncDispose]();
  await late[Symbol.asyncDispose]();
  await redis.start();
});

test('two definitions with the same name are refused', () => {
  expect(() => queuesOf([definition('same.job'), definition('same.job')] as never)).toThrow(/same\.job/);
});
