import { randomBytes, randomUUID } from 'node:crypto';
import { soleLeadership } from '@claviger/cluster';
import { createDatabase, type Database, migrate } from '@claviger/database';
import { createEmitter } from '@claviger/events';
import type { Logger } from '@claviger/service-kit';
import { type MigratedDatabase, startMigratedDatabase } from '@claviger/testkit';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AuditSchema, migrations } from '../../schema.ts';
import { queueReport } from '../reports/queue-report.ts';
import { runDueSchedules } from './run-due-schedules.ts';
import { scheduleMessage } from './schedule-message.ts';

const emitter = createEmitter({ service: 'audit', macKey: randomBytes(32) });
const warned: object[] = [];
const logger = { warn: (line: object) => void warned.push(line) } as unknown as Logger;
const TOO_MANY = '50 packages are already waiting to be made.';
let scratch: MigratedDatabase | undefined;
let database: Database<AuditSchema>;

beforeEach(async () => {
  scratch = await startMigratedDatabase('audit', (schema) => migrate(schema, migrations));
  database = createDatabase<AuditSchema>(scratch.schema);
  warned.length = 0;
});
afterEach(async () => {
  await database?.close();
  await scratch?.[Symbol.asyncDispose]();
});

const run = () => runDueSchedules({ database, emitter, logger }, soleLeadership);

/** A schedule that became due at a full hour this many hours ago; its next moment is months away. */
async function addSchedule(tenantId: string, hoursAgo: number): Promise<string> {
  const id = randomUUID();
  const month = ((new Date().getUTCMonth() + 6) % 12) + 1;
  await database.withTenant(tenantId, (tx) =>
    tx
      .insertInto('compliance_schedules')
      .values({
        tenant_id: tenantId,
        id,
        name: 'yearly',
        cron: `0 6 1 ${month} *`,
        time_zone: 'UTC',
        period: 'month',
        sections: ['events'],
        next_run_at: sql<Date>`date_trunc('hour', now() - make_interval(hours => ${hoursAgo}))`,
        last_run_at: null,
        created_by: 'ann',
        created_by_name: 'ann',
        bom: true,
      })
      .execute(),
  );
  return id;
}

async function fillQueue(tenantId: string): Promise<void> {
  for (let n = 0; n < 50; n += 1)
    await database.withTenant(tenantId, (tx) =>
      queueReport(tx, emitter, tenantId, {
        from: '2026-01-01',
        to: '2026-01-31',
        sections: ['events'],
        requestedBy: `user-${n}`,
        requestedByName: 'somebody',
      }),
    );
}

const schedulesOf = (tenantId: string) =>
  database.readTenant(tenantId, (reader) =>
    reader
      .selectFrom('compliance_schedules')
      .selectAll()
      .select(sql<number | null>`extract(epoch FROM retry_at - now())::float8`.as('retry_in_seconds'))
      .execute(),
  );

/** Simulates elapsed time. */
const retryComes = (tenantId: string) =>
  database.withTenant(tenantId, (tx) =>
    tx.updateTable('compliance_schedules').set({ retry_at: sql<Date>`now()` }).execute(),
  );

test('at the limit a schedule waits five minutes, shows the reason, warns once, and runs when there is capacity', async () => {
  const tenantId = randomUUID();
  await addSchedule(tenantId, 1);
  await fillQueue(tenantId);
  expect(await run()).toBe(0);
  const [refused] = await schedulesOf(tenantId);
  expect(scheduleMessage(refused!)).toMatchObject({
    problem: TOO_MANY,
    nextRuns: expect.arrayContaining([refused!.next_run_at.toISOString()]),
  });
  expect(refused!.retry_in_seconds).toBeGreaterThan(240);
  expect(refused!.retry_in_seconds).toBeLessThanOrEqual(300);
  // There is capacity now, but the retry is not due.
  await database.withTenant(tenantId, (tx) =>
    tx.updateTable('compliance_reports').set({ state: 'ready', next_attempt_at: null }).execute(),
  );
  expect(await run()).toBe(0);
  await fillQueue(tenantId);
  await retryComes(tenantId);
  expect(await run()).toBe(0);
  expect((await schedulesOf(tenantId))[0]!.retry_in_seconds).toBeGreaterThan(240);
  expect(warned).toHaveLength(1);
  await database.withTenant(tenantId, (tx) =>
    tx.updateTable('compliance_reports').set({ state: 'ready', next_attempt_at: null }).execute(),
  );
  await retryComes(tenantId);
  expect(await run()).toBe(1);
  const [ran] = await schedulesOf(tenantId);
  expect(ran).toMatchObject({ problem: '', retry_at: null, last_run_at: refused!.next_run_at });
});

test('a hundred schedules at the limit do not delay those of another tenant', async () => {
  const [full, other] = [randomUUID(), randomUUID()];
  await fillQueue(full);
  for (let n = 0; n < 100; n += 1) await addSchedule(full, 2);
  await addSchedule(other, 1);
  await run();
  expect(await run()).toBe(1);
  expect((await schedulesOf(other))[0]!.last_run_at).not.toBeNull();
});

test('a run uses the report of the previous run of its schedule if that report has not begun', async () => {
  const tenantId = randomUUID();
  const id = await addSchedule(tenantId, 1);
  expect(await run()).toBe(1);
  await database.withTenant(tenantId, (tx) =>
    tx
      .updateTable('compliance_schedules')
      .set({ next_run_at: sql<Date>`last_run_at + interval '1 second'` })
      .where('id', '=', id)
      .execute(),
  );
  expect(await run()).toBe(1);
  const occurrences = await database.readTenant(tenantId, (reader) =>
    reader.selectFrom('compliance_occurrences').select('report_id').execute(),
  );
  expect(occurrences).toHaveLength(2);
  expect(new Set(occurrences.map(({ report_id }) => report_id)).size).toBe(1);
  const [report] = await database.readTenant(tenantId, (reader) =>
    reader.selectFrom('compliance_reports').select('bom').execute(),
  );
  expect(report?.bom).toBe(true);
});
