import { randomUUID } from 'node:crypto';
import { soleReplica } from '@claviger/cluster';
import type { Database } from '@claviger/database';
import type { CountedAnomaly } from '@claviger/service-kit';
import { eventually } from '@claviger/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEmitter, startAnomalyDuty, storeAnomalies } from './index.ts';
import { startTestServers, type TestServers } from './test-servers.ts';

let servers: TestServers;
let database: Database<never>;
beforeAll(async () => {
  servers = await startTestServers();
  database = servers.database as unknown as Database<never>;
});
afterAll(() => servers?.[Symbol.asyncDispose]());

const observed = (id: string, count: number, more: Partial<CountedAnomaly> = {}): CountedAnomaly => ({
  alert: 'node_name_twice',
  subject: { type: 'node', id },
  details: { id },
  count,
  ...more,
});

function duty(platformTenant: () => Promise<string | undefined>) {
  return startAnomalyDuty({
    database: servers.database,
    emitter: createEmitter({ service: 'vault', macKey: servers.macKey }),
    cluster: soleReplica(servers.logger),
    logger: servers.logger,
    platformTenant,
  });
}

/** The counts of the events of a subject, in order. */
async function countsOf(id: string): Promise<{ tenant: string; count: number }[]> {
  return servers.scratch.query(
    `SELECT tenant_id AS tenant, (payload::jsonb -> 'details' ->> 'count')::int AS count
     FROM ${servers.schema.schema}.outbox WHERE payload::jsonb ->> 'subjectId' = '${id}'
       AND payload::jsonb ->> 'action' LIKE 'anomaly.%' ORDER BY created_at`,
  );
}
const rowsOf = (id: string) =>
  servers.scratch.query<{ observed: number }>(
    `SELECT observed FROM ${servers.schema.schema}.anomalies WHERE subject_id = '${id}'`,
  );
const windowOver = (id: string) =>
  servers.scratch.query(
    `UPDATE ${servers.schema.schema}.anomalies SET due_at = now() - interval '1 second' WHERE subject_id = '${id}'`,
  );

test('an anomaly is recorded at once, then once per window with its count; its row is removed when it stops', async () => {
  const platform = randomUUID();
  await using _duty = duty(async () => platform);
  await storeAnomalies(database, [observed('a', 3)]);
  await eventually(async () => expect(await countsOf('a')).toEqual([{ tenant: platform, count: 3 }]));
  await Promise.all(Array.from({ length: 8 }, () => storeAnomalies(database, [observed('a', 2)])));
  expect(await countsOf('a')).toHaveLength(1);
  await windowOver('a');
  await eventually(async () => expect((await countsOf('a')).map(({ count }) => count)).toEqual([3, 16]));
  expect(await rowsOf('a')).toHaveLength(1);
  await windowOver('a');
  await eventually(async () => expect(await rowsOf('a')).toEqual([]));
  expect(await countsOf('a')).toHaveLength(2);
});

test('while the platform tenant is unknown, its events wait and those of other tenants do not', async () => {
  const [platform, tenantId] = [randomUUID(), randomUUID()];
  await storeAnomalies(database, [observed('waits', 1), observed('own', 1, { tenantId })]);
  {
    await using _duty = duty(async () => {
      throw new Error('auth is unavailable');
    });
    await eventually(async () => expect(await countsOf('own')).toEqual([{ tenant: tenantId, count: 1 }]));
    expect(await countsOf('waits')).toEqual([]);
  }
  // As after a restart: the observations are in the database.
  await using _again = duty(async () => platform);
  await eventually(async () => expect(await countsOf('waits')).toEqual([{ tenant: platform, count: 1 }]));
});

test('made-up subjects do not fill the table', async () => {
  for (let batch = 0; batch < 3; batch += 1)
    await storeAnomalies(
      database,
      Array.from({ length: 100 }, (_, n) =>
        observed(`made-up-${batch}-${n}`, 1, { alert: 'internal_certificate_refused' }),
      ),
    );
  const [row] = await servers.scratch.query<{ rows: number; observed: number }>(
    `SELECT count(*)::int AS rows, sum(observed)::int AS observed FROM ${servers.schema.schema}.anomalies
     WHERE alert = 'internal_certificate_refused'`,
  );
  expect(row).toEqual({ rows: 201, observed: 300 });
});
