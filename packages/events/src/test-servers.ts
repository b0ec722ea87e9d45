import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NatsServer, startNats } from '@claviger/backing-servers';
import { leadershipMigration } from '@claviger/cluster';
import { createDatabase, type Database, migrate } from '@claviger/database';
import { createLogger, type Logger } from '@claviger/service-kit';
import { type ScratchDatabase, type ScratchSchema, startScratchDatabase } from '@claviger/testkit';
import { anomaliesMigration, type Bus, createBus, type OutboxSchema, outboxMigration } from './index.ts';

/** PostgreSQL with an outbox, anomalies and the terms of leaders, and NATS, for the tests of this package. */
export interface TestServers extends AsyncDisposable {
  readonly scratch: ScratchDatabase;
  readonly schema: ScratchSchema;
  readonly database: Database<OutboxSchema>;
  readonly nats: NatsServer;
  readonly macKey: Buffer;
  readonly logger: Logger;
  bus(): Bus;
  unpublished(): Promise<number>;
}

export async function startTestServers(): Promise<TestServers> {
  const folder = await mkdtemp(join(tmpdir(), 'claviger-events-'));
  await chmod(folder, 0o711);
  const nats = await startNats({ dataDir: join(folder, 'nats'), logFile: join(folder, 'nats.log') });
  const scratch = await startScratchDatabase();
  const schema = await scratch.createSchema();
  await migrate(schema, [leadershipMigration, outboxMigration, anomaliesMigration]);
  const database = createDatabase<OutboxSchema>({ ...schema, poolSize: 10 });
  const logger = createLogger({ service: 'test', node: 'test-1', level: 'silent' });
  return {
    scratch,
    schema,
    database,
    nats,
    macKey: randomBytes(32),
    logger,
    bus: () =>
      createBus({
        url: nats.url,
        user: nats.operator,
        password: nats.passwords[nats.operator]!,
        name: 'test',
        logger,
      }),
    unpublished: async () => {
      const [row] = await scratch.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM ${schema.schema}.outbox WHERE published_at IS NULL`,
      );
      return row!.n;
    },
    [Symbol.asyncDispose]: async () => {
      await database.close();
      await nats.stop();
      await scratch[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
