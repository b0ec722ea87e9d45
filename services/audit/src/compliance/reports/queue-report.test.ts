import { randomBytes, randomUUID } from 'node:crypto';
import { applyTenantStatus, createDatabase, type Database, migrate } from '@claviger/database';
import { createEmitter } from '@claviger/events';
import { type MigratedDatabase, startMigratedDatabase } from '@claviger/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AuditSchema, migrations } from '../../schema.ts';
import { claimReport } from '../building/claim-next.ts';
import { queueReport, type ReportOrder } from './queue-report.ts';

const emitter = createEmitter({ service: 'audit', macKey: randomBytes(32) });
let scratch: MigratedDatabase;
let database: Database<AuditSchema>;

beforeAll(async () => {
  scratch = await startMigratedDatabase('audit', (schema) => migrate(schema, migrations));
  database = createDatabase<AuditSchema>(scratch.schema);
});
afterAll(async () => {
  await database?.close();
  await scratch?.[Symbol.asyncDispose]();
});

const asked: ReportOrder = {
  from: '2026-01-01',
  to: '2026-01-31',
  sections: ['events', 'access'],
  requestedBy: 'ann',
  requestedByName: 'ann',
};
const order = (tenantId: string, change: Partial<ReportOrder> = {}) =>
  database.withTenant(tenantId, (tx) => queueReport(tx, emitter, tenantId, { ...asked, ...change }));

test('ten equal concurrent orders make one package and one job; an order that differs makes another', async () => {
  const tenantId = randomUUID();
  const ids = new Set(await Promise.all(Array.from({ length: 10 }, () => order(tenantId))));
  expect(ids.size).toBe(1);
  const others: Partial<ReportOrder>[] = [
    { from: '2026-01-02' },
    { to: '2026-02-01' },
    { sections: ['events'] },
    { requestedBy: 'bob' },
    { scheduleId: randomUUID() },
    { note: 'an earlier run was missed' },
    { bom: true },
  ];
  for (const change of others) ids.add(await order(tenantId, change));
  ids.add(await order(randomUUID()));
  expect(ids.size).toBe(2 + others.length);
  const [outbox] = await scratch.query<{ jobs: number }>(
    `SELECT count(*)::int AS jobs FROM ${scratch.schema.schema}.outbox WHERE tenant_id = $1`,
    [tenantId],
  );
  expect(outbox?.jobs).toBe(1 + others.length);
});

test('an order does not return a report that has begun or that a suspension has ended', async () => {
  const tenantId = randomUUID();
  const begun = await order(tenantId);
  expect((await claimReport({ database, node: 'test' }, tenantId))?.id).toBe(begun);
  const waiting = await order(tenantId);
  expect(waiting).not.toBe(begun);
  for (const [version, status] of [
    [1, 'suspended'],
    [2, 'active'],
  ] as const)
    await database.withTenant(tenantId, (tx) => applyTenantStatus(tx, tenantId, { status, version }));
  const after = await order(tenantId);
  expect([begun, waiting]).not.toContain(after);
  expect(await order(tenantId)).toBe(after);
});

test('at the limit of waiting reports, an equal order still returns the waiting report', async () => {
  const tenantId = randomUUID();
  const ids = [];
  for (let n = 0; n < 50; n += 1) ids.push(await order(tenantId, { requestedBy: `user-${n}` }));
  await expect(order(tenantId)).rejects.toMatchObject({ code: 'too_many_reports' });
  expect(await order(tenantId, { requestedBy: 'user-7' })).toBe(ids[7]);
});
