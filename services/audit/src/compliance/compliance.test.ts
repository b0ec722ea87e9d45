import { randomUUID } from 'node:crypto';
import { soleLeadership } from '@claviger/cluster';
import { verifyPackage } from '@claviger/compliance-package';
import { methods } from '@claviger/contracts';
import type { CallContext } from '@claviger/service-kit';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AuditBench, eventually } from '../../test-support.ts';
import { claimReport } from './building/claim-next.ts';
import { makeInThread } from './building/make-in-thread.ts';
import type { ComplianceDeps } from './deps.ts';
import { downloadReport } from './reports/download-report.ts';
import { momentsOf } from './schedules/cron.ts';
import { runDueSchedules } from './schedules/run-due-schedules.ts';
import { longLog } from './test-long-log.ts';
import { type ReportsBench, startReports } from './test-reports.ts';

let reports: ReportsBench;
let bench: AuditBench;
let deps: ComplianceDeps;
let days: ReportsBench['days'];
let order: ReportsBench['order'];
let makeDue: ReportsBench['makeDue'];
let made: ReportsBench['made'];
let stateOf: ReportsBench['stateOf'];
let fileOf: ReportsBench['fileOf'];

beforeAll(async () => {
  reports = await startReports();
  ({ audit: bench, deps, days, order, makeDue, made, stateOf, fileOf } = reports);
});
afterAll(async () => reports?.[Symbol.asyncDispose]());

test('a package contains the events of its range, with proofs, from a log that grows', async () => {
  const tenantId = randomUUID();
  await bench.record(tenantId, 30, (n) => ({
    action: n % 10 === 0 ? 'breakglass.activated' : 'test.happened',
  }));
  const head = await bench.sequenced(tenantId, 30);
  const { report, chunks } = await made(tenantId, await order(tenantId, days, true));
  expect(report).toMatchObject({ state: 'ready', problem: '' });
  const verdict = await verifyPackage(await fileOf(chunks), {
    trustedKeys: [bench.keys.treeHeadPublic],
    knownHeads: [head],
  });
  expect(verdict).toMatchObject({ ok: true, problem: null, log: { included: 30, knownHeadsMatched: 1 } });
  expect(verdict.manifest?.tables).toContainEqual({ name: 'break-glass', rows: 3, basis: 'range' });
  expect(verdict.manifest?.parameters.bom).toBe(true);
});

test('a package is made in a thread that then ends; a stopped thread ends too, and its report is not ready', async () => {
  const tenantId = randomUUID();
  await bench.record(tenantId, 20);
  await bench.sequenced(tenantId, 20);
  const threaded = async () => ({
    config: bench.config,
    report: (await claimReport(deps, tenantId))!,
    newestHead: undefined,
    headsProblem: undefined,
  });
  const id = await order(tenantId);
  await makeDue(tenantId, id);
  await makeInThread(await threaded(), new AbortController().signal);
  await eventually(async () => (await stateOf(tenantId, id)) === 'ready');

  const stopped = await order(tenantId);
  await makeDue(tenantId, stopped);
  const stop = new AbortController();
  const making = makeInThread(await threaded(), stop.signal);
  stop.abort();
  await making;
  expect(await stateOf(tenantId, stopped)).not.toBe('failed');
});

test('an empty range and an empty log make packages that verify', async () => {
  const [empty, old] = [randomUUID(), randomUUID()];
  await bench.record(old, 5);
  await bench.sequenced(old, 5);
  for (const [tenantId, range] of [
    [empty, days],
    [old, { from: '2020-01-01', to: '2020-01-31' }],
  ] as const) {
    const { chunks } = await made(tenantId, await order(tenantId, range));
    const verdict = await verifyPackage(await fileOf(chunks), { trustedKeys: [bench.keys.treeHeadPublic] });
    expect(verdict).toMatchObject({ ok: true, problem: null, log: { included: 0 } });
  }
});

test('an altered event is not signed again: the report fails and names it', async () => {
  const tenantId = randomUUID();
  await bench.record(tenantId, 10);
  await bench.sequenced(tenantId, 10);
  await bench.superuser(
    `UPDATE events SET canonical = replace(canonical, 'thing-', 'other-') WHERE tenant_id = $1 AND sequence = 4`,
    [tenantId],
  );
  const { report, chunks } = await made(tenantId, await order(tenantId));
  expect(report.state).toBe('failed');
  expect(report.problem).toContain('Event 4');
  expect(chunks).toEqual([]);
});

test('one of several parallel workers makes the package', async () => {
  const tenantId = randomUUID();
  await bench.record(tenantId, 3);
  await bench.sequenced(tenantId, 3);
  const id = await order(tenantId);
  await Promise.all([1, 2, 3, 4].map((n) => made(tenantId, id, { ...deps, node: `worker-${n}` })));
  const { rows } = await bench.database.readTenant(tenantId, (reader) =>
    sql<{
      attempts: number;
      state: string;
    }>`SELECT attempts, state FROM compliance_reports WHERE id = ${id}`.execute(reader),
  );
  expect(rows).toEqual([{ attempts: 1, state: 'ready' }]);
});

test('a package over the size limit fails with the reason', async () => {
  const tenantId = randomUUID();
  await bench.record(tenantId, 3);
  await bench.sequenced(tenantId, 3);
  const { report } = await made(tenantId, await order(tenantId), {
    ...deps,
    config: { ...deps.config, maxPackageMiB: 0.001 },
  });
  expect(report).toMatchObject({ state: 'failed' });
  expect(report.problem).toContain('shorter range');
});

test('a report that a suspension has ended is not made afterwards', async () => {
  const tenantId = randomUUID();
  const id = await order(tenantId);
  await bench.database.withTenant(tenantId, (tx) =>
    sql`INSERT INTO tenant_standings (tenant_id, standing, version) VALUES (${tenantId}::uuid, 'suspended', 1)`.execute(
      tx,
    ),
  );
  expect((await made(tenantId, id)).report).toMatchObject({
    state: 'failed',
    problem: 'The tenant is suspended.',
  });
});

async function addSchedule(tenantId: string, hoursAgo: number): Promise<string> {
  const id = randomUUID();
  const now = new Date();
  // The next run is half an hour away, so that no run becomes due during the test.
  const cron = `${(now.getUTCMinutes() + 30) % 60} * * * *`;
  const first = momentsOf(cron, 'UTC', now).next(1, new Date(now.getTime() - hoursAgo * 3_600_000))[0]!;
  await bench.database.withTenant(tenantId, (tx) =>
    tx
      .insertInto('compliance_schedules')
      .values({
        tenant_id: tenantId,
        id,
        name: 'hourly',
        cron,
        time_zone: 'UTC',
        period: 'day',
        sections: ['events'],
        next_run_at: first,
        last_run_at: null,
        created_by: 'ann',
        created_by_name: 'ann',
      })
      .execute(),
  );
  return id;
}

const occurrences = (tenantId: string) =>
  bench.database.readTenant(tenantId, (reader) =>
    reader.selectFrom('compliance_occurrences').select(['occurrence', 'missed']).execute(),
  );

test('several concurrent leaders run a schedule once, and one run covers all moments of an outage', async () => {
  const tenantId = randomUUID();
  await addSchedule(tenantId, 5);
  await Promise.all([1, 2, 3, 4, 5, 6].map(() => runDueSchedules(deps, soleLeadership)));
  await runDueSchedules(deps, soleLeadership);
  // The service itself may have ordered the report first and its transaction may not have ended; there is one
  // report in any case.
  await eventually(async () => (await occurrences(tenantId)).length > 0);
  await runDueSchedules(deps, soleLeadership);
  const found = await occurrences(tenantId);
  expect(found).toHaveLength(1);
  expect(found[0]!.missed).toBeGreaterThanOrEqual(3);
  const { rows } = await bench.database.readTenant(tenantId, (reader) =>
    sql<{ note: string; due: boolean }>`SELECT r.note, s.next_run_at > now() AS due
      FROM compliance_reports r JOIN compliance_schedules s ON s.id = r.schedule_id`.execute(reader),
  );
  expect(rows).toEqual([{ note: `${found[0]!.missed} earlier runs were missed`, due: true }]);
});

test('a download ends when its tenant is suspended', async () => {
  const tenantId = randomUUID();
  const id = await order(tenantId);
  expect((await made(tenantId, id)).report.state).toBe('ready');
  await bench.database.withTenant(tenantId, (tx) =>
    tx
      .insertInto('compliance_package_chunks')
      .values({ tenant_id: tenantId, report_id: id, number: 1, bytes: Buffer.from('the rest') })
      .execute(),
  );
  const context = {
    method: methods.get('/claviger.audit.v1.ComplianceService/DownloadReport')!,
    tenantId,
    signal: new AbortController().signal,
    sourceAddress: '',
    requestId: id,
  } as CallContext;
  const bytes = downloadReport(deps)({ reportId: id }, context)[Symbol.asyncIterator]();
  expect((await bytes.next()).done).toBe(false);
  await bench.database.withTenant(tenantId, (tx) =>
    sql`INSERT INTO tenant_standings (tenant_id, standing, version) VALUES (${tenantId}::uuid, 'suspended', 1)`.execute(
      tx,
    ),
  );
  await expect(bytes.next()).rejects.toMatchObject({ code: 'tenant_suspended' });
});

test('a schedule of a suspended tenant waits', async () => {
  const tenantId = randomUUID();
  await bench.database.withTenant(tenantId, (tx) =>
    sql`INSERT INTO tenant_standings (tenant_id, standing, version) VALUES (${tenantId}::uuid, 'suspended', 1)`.execute(
      tx,
    ),
  );
  await addSchedule(tenantId, 3);
  await runDueSchedules(deps, soleLeadership);
  expect(await occurrences(tenantId)).toEqual([]);
});

// The whole package in memory would take well over 10 MiB.
longLog(() => reports, 10_000, 8);
