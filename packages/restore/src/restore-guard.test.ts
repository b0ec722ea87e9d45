import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '@claviger/backing-servers';
import { leadershipMigration } from '@claviger/cluster';
import { createDatabase, type Database, migrate } from '@claviger/database';
import { outboxMigration } from '@claviger/events';
import { idempotencyMigration } from '@claviger/idempotency';
import { type CallContext, createLogger } from '@claviger/service-kit';
import { type ScratchDatabase, type ScratchSchema, startScratchDatabase } from '@claviger/testkit';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openRestoreGuard, type RestoreGuard, restoreHandlers, restoreMigration } from './index.ts';

const logger = createLogger({ service: 'test', node: 'test-1', level: 'silent' });

let folder: string;
let redis: RedisServer;
let direct: Redis;
let scratch: ScratchDatabase;
let opened: AsyncDisposable[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claviger-restore-'));
  await chmod(folder, 0o711);
  redis = await startRedis({ dataDir: join(folder, 'redis'), logFile: join(folder, 'redis.log') });
  direct = new Redis({ host: redis.host, port: redis.port, password: redis.password });
  scratch = await startScratchDatabase();
});
afterEach(async () => {
  for (const each of opened.reverse()) await each[Symbol.asyncDispose]();
  opened = [];
  await direct.flushall();
});
afterAll(async () => {
  direct?.disconnect();
  await redis?.stop();
  await scratch?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** The database of one service. */
async function freshDatabase(): Promise<Database<object>> {
  return openDatabase(await scratch.createSchema());
}

async function openDatabase(schema: ScratchSchema): Promise<Database<object>> {
  await migrate(schema, [outboxMigration, leadershipMigration, idempotencyMigration, restoreMigration]);
  const database = createDatabase<object>(schema);
  opened.push({ [Symbol.asyncDispose]: () => database.close() });
  return database;
}

async function guardOf(
  database: Database<object>,
  onRestored?: (epoch: number) => Promise<void>,
): Promise<RestoreGuard> {
  const { host, port, password } = redis;
  const guard = await openRestoreGuard({ database, redis: { host, port, password }, logger, onRestored });
  opened.push(guard);
  return guard;
}

const unfinished = { reason: 'unavailable', code: 'restore_unfinished' };
const refusal = (guard: RestoreGuard): unknown => {
  try {
    guard.refuse();
    return 'serves';
  } catch (error) {
    return error;
  }
};

test('a database whose epoch is older than the one in Redis is never served', async () => {
  const current = await guardOf(await freshDatabase());
  await current.begin(1);
  await current.finish(1);
  expect(refusal(current)).toBe('serves');
  // Another service, restored to an earlier state.
  const restored = await guardOf(await freshDatabase());
  expect(refusal(restored)).toMatchObject(unfinished);
  await restored.finish(1);
  expect([refusal(restored), restored.epoch()]).toEqual(['serves', 1]);
});

test('evidence in one service stops all, and each serves again when its database has the new epoch', async () => {
  const databases = [await freshDatabase(), await freshDatabase()];
  const [audit, vault] = await Promise.all(databases.map((each) => guardOf(each)));
  audit!.reportEvidence('a tree head is missing');
  expect(refusal(audit!)).toMatchObject(unfinished);
  await expect.poll(() => refusal(vault!)).toMatchObject(unfinished);
  await vault!.begin(2);
  await vault!.finish(2);
  expect(refusal(vault!)).toBe('serves');
  expect(refusal(audit!)).toMatchObject(unfinished);
  await audit!.finish(2);
  expect(refusal(audit!)).toBe('serves');
});

test('a restore under a running service is detected, and the first evidence is kept', async () => {
  const schema = await scratch.createSchema();
  const guard = await guardOf(await openDatabase(schema));
  await guard.begin(3);
  await guard.finish(3);
  expect(refusal(guard)).toBe('serves');
  await scratch.query(`UPDATE ${schema.schema}.restore_epoch SET epoch = 2`);
  await expect.poll(() => refusal(guard)).toMatchObject(unfinished);
  expect(guard.problem()).toContain('restore epoch 2 but Redis has epoch 3');
  guard.reportEvidence('a tree head is missing');
  guard.reportEvidence('another one');
  expect(guard.problem()).toBe('a tree head is missing');
  await guard.begin(5);
  await guard.finish(5);
  expect([refusal(guard), guard.epoch()]).toEqual(['serves', 5]);
});

test('every replica does its work before it serves again, also if another one stored the epoch', async () => {
  const database = await freshDatabase();
  const done: string[] = [];
  const first = await guardOf(database, async (epoch) => void done.push(`first ${epoch}`));
  const second = await guardOf(database, async (epoch) => void done.push(`second ${epoch}`));
  await first.begin(1);
  await expect.poll(() => refusal(second)).toMatchObject(unfinished);
  await first.finish(1);
  await expect.poll(() => refusal(second)).toBe('serves');
  expect(done.toSorted()).toContain('second 1');
  expect(done).toContain('first 1');
});

test('a finished restore raises every term by a thousand, once, and fences the former term', async () => {
  const database = await freshDatabase();
  const raiseTerm = () =>
    database.system(async (tx) => {
      const { rows } = await sql<{
        term: number;
      }>`SELECT raise_leader_term('vault', 'vault-1') AS term`.execute(tx);
      return rows[0]!.term;
    });
  const term = await raiseTerm();
  const guard = await guardOf(database);
  await guard.begin(1);
  await guard.finish(1);
  await guard.finish(1);
  const write = database.system((tx) => sql`SELECT assert_leader('vault', ${term})`.execute(tx));
  await expect(write).rejects.toThrow('another term has begun');
  expect(await raiseTerm()).toBe(term + 1_001);
});

test('without Redis a service serves but no restore can begin; an emptied Redis gets the epoch again', async () => {
  const database = await freshDatabase();
  const guard = await guardOf(database);
  await guard.begin(4);
  await guard.finish(4);
  await direct.flushall();
  await expect.poll(() => direct.get('claviger:restore:epoch')).toBe('4');
  await redis.stop();
  try {
    expect(refusal(guard)).toBe('serves');
    await expect(guard.begin(5)).rejects.toMatchObject({ reason: 'unavailable' });
  } finally {
    await redis.start();
  }
});

test('the steps of one restore may reach different replicas concurrently', async () => {
  const database = await freshDatabase();
  const tenantId = randomUUID();
  const replica = async () => {
    const guard = await guardOf(database);
    return restoreHandlers({
      service: 'vault',
      node: randomUUID(),
      database,
      guard,
      endTenantAccess: async () => ({ sessions: 1 }),
      record: async () => {},
    });
  };
  const [first, second, third] = await Promise.all([replica(), replica(), replica()]);
  const context = { tenantId } as CallContext;
  const keep = { keepApiTokens: false, keepAgentTokens: false };
  await first!.beginRestore({ epoch: 1 }, context);
  expect(await second!.endTenantAccess({ epoch: 1, ...keep }, context)).toEqual({
    ended: [
      { name: 'sessions', count: 1 },
      { name: 'idempotencyKeys', count: 0 },
    ],
  });
  await expect(second!.endTenantAccess({ epoch: 2, ...keep }, context)).rejects.toMatchObject({
    code: 'restore_not_begun',
  });
  await third!.finishRestore({ epoch: 1 }, context);
  expect(await third!.getRestoreState({}, context)).toMatchObject({ epoch: 1, problem: '' });
});
