import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { soleLeadership } from '@claviger/cluster';
import { type Section, verifyPackage } from '@claviger/compliance-package';
import { methods } from '@claviger/contracts';
import type { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AuditBench, eventually, silent, startBench, storeSealed } from '../../test-support.ts';
import { claimReport } from './building/claim-next.ts';
import { makeInThread } from './building/make-in-thread.ts';
import { runReport } from './building/run-report.ts';
import type { ComplianceDeps } from './deps.ts';
import { downloadReport } from './reports/download-report.ts';
import { momentsOf } from './schedules/cron.ts';
import { runDueSchedules } from './schedules/run-due-schedules.ts';

let bench: AuditBench;
let folder: string;
let deps: ComplianceDeps;
const DAY_MS = 86_400_000;
const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10);
const day = dayOf(Date.now());
/** Midnight may come while the tests run. */
const days = { from: day, to: dayOf(Date.now() + DAY_MS) };

beforeAll(async () => {
  bench = await startBench();
  folder = await mkdtemp(join(tmpdir(), 'compliance-test-'));
  deps = {
    database: bench.database,
    emitter: bench.emitter,
    logger: silent,
    keys: bench.keys,
    headsFile: { newest: () => undefined, problem: () => undefined },
    // These reports hold what audit knows itself; the others are asked in test/e2e.
    evidence: {} as ComplianceDeps['evidence'],
    config: { maxPackageMiB: 512, retentionDays: 365, concurrency: 1 },
    node: 'test',
    version: '0.1.0',
  };
});
afterAll(async () => {
  await bench?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Orders a report that no job wakes anybody for, and which nobody else sweeps up. */
async function order(tenantId: string, range = days, bom = false): Promise<string> {
  const id = randomUUID();
  await bench.database.withTenant(tenantId, (tx) =>
    tx
      .insertInto('compliance_reports')
      .values({
        tenant_id: tenantId,
        id,
        from_day: range.from,
        to_day: range.to,
        sections: ['events', 'break-glass'] satisfies Section[],
        requested_by: 'ann',
        requested_by_name: 'ann',
        bom,
        schedule_id: null,
        // Not due: the sweep of the running service leaves it alone until it is claimed here.
        next_attempt_at: sql<Date>`NULL` as never,
      })
      .execute(),
  );
  return id;
}

async function makeDue(tenantId: string, id: string): Promise<void> {
  await bench.database.withTenant(tenantId, (tx) =>
    tx
      .updateTable('compliance_reports')
      .set({ next_attempt_at: sql<Date>`now()` })
      .where('id', '=', id)
      .where('state', '=', 'queued')
      .execute(),
  );
}

async function made(tenantId: string, id: string, by: ComplianceDeps = deps) {
  await makeDue(tenantId, id);
  const claimed = await claimReport(by, tenantId);
  if (claimed) await runReport(by, claimed, new AbortController().signal);
  await eventually(async () => {
    const { state } = await bench.database.readTenant(tenantId, (reader) =>
      reader.selectFrom('compliance_reports').select('state').where('id', '=', id).executeTakeFirstOrThrow(),
    );
    return state === 'ready' || state === 'failed';
  });
  return bench.database.readTenant(tenantId, async (reader) => ({
    report: await reader
      .selectFrom('compliance_reports')
      .select(['state', 'problem', 'sha256', 'size_bytes'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow(),
    chunks: await reader
      .selectFrom('compliance_package_chunks')
      .select(['number', 'bytes'])
      .where('report_id', '=', id)
      .orderBy('number')
      .execute(),
  }));
}

async function fileOf(chunks: readonly { bytes: Buffer }[]): Promise<string> {
  const file = join(folder, `${randomUUID()}.zip`);
  await writeFile(file, Buffer.concat(chunks.map(({ bytes }) => bytes)));
  return file;
}

test('a package holds the events of its range, proven, and of a log that goes on', async () => {
  const tenantId = randomUUID();
  await bench.record(tenantId, 30, (n) => ({
    action: n % 10 === 0 ? 'breakglass.activated' : 'test.happened',
  }));
  const head = await bench.sealed(tenantId, 30);
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

test('a package is made in a thread, which ends; one that is told to stop ends too, and nothing is ready', async () => {
  const tenantId = randomUUID();
  await bench.record(tenantId, 20);
  await bench.sealed(tenantId, 20);
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

test('a range without events, and a log without any, make packages that verify', async () => {
  const [empty, old] = [randomUUID(), randomUUID()];
  await bench.record(old, 5);
  await bench.sealed(old, 5);
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
  await bench.sealed(tenantId, 10);
  await bench.superuser(
    `UPDATE events SET canonical = replace(canonical, 'thing-', 'other-') WHERE tenant_id = $1 AND sequence = 4`,
    [tenantId],
  );
  const { report, chunks } = await made(tenantId, await order(tenantId));
  expect(report.state).toBe('failed');
  expect(report.problem).toContain('Event 4');
  expect(chunks).toEqual([]);
});

test('of many workers one makes the package', async () => {
  const tenantId = randomUUID();
  await bench.record(tenantId, 3);
  await bench.sealed(tenantId, 3);
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

test('a package that would be too large fails, and says so', async () => {
  const tenantId = randomUUID();
  await bench.record(tenantId, 3);
  await bench.sealed(tenantId, 3);
  const { report } = await made(tenantId, await order(tenantId), {
    ...deps,
    config: { ...deps.config, maxPackageMiB: 0.001 },
  });
  expect(report).toMatchObject({ state: 'failed' });
  expect(report.problem).toContain('shorter range');
});

test('what a suspension has ended is not made afterwards', async () => {
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

async function stateOf(tenantId: string, id: string): Promise<string> {
  const { state } = await bench.database.readTenant(tenantId, (reader) =>
    reader.selectFrom('compliance_reports').select('state').where('id', '=', id).executeTakeFirstOrThrow(),
  );
  return state;
}

async function addSchedule(tenantId: string, hoursAgo: number): Promise<string> {
  const id = randomUUID();
  const now = new Date();
  // Half an hour away from now: no moment comes while the test runs.
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

test('however many believe that they lead, each moment is run once, and an outage is caught up once', async () => {
  const tenantId = randomUUID();
  await addSchedule(tenantId, 5);
  await Promise.all([1, 2, 3, 4, 5, 6].map(() => runDueSchedules(deps, soleLeadership)));
  await runDueSchedules(deps, soleLeadership);
  // The service itself may have been first, and not be done yet; either way there is one.
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

describe('of a long log', () => {
  const tenantId = randomUUID();
  beforeAll(async () => {
    await storeSealed(bench, tenantId, 100_000, (n) => ({
      actorId: randomUUID(),
      subjectId: randomUUID(),
      requestId: randomUUID(),
      reason: `event ${n}`,
      occurredAt: `${day}T00:00:00.000Z`,
    }));
  });

  test('a package of 100,000 events is made and verified in memory that does not grow with them', async () => {
    const id = await order(tenantId);
    const live = watchLiveMemory();
    const { report, chunks } = await (async () => {
      // As its duty does: what a busy machine could not finish is begun again.
      await eventually(async () => {
        await makeDue(tenantId, id);
        const running = claimReport(deps, tenantId).then(
          (claimed) => claimed && runReport(deps, claimed, new AbortController().signal),
        );
        return running.then(
          () => true,
          (error: ClavigerError) => {
            if (!['unavailable', 'deadline_exceeded'].includes(error.reason)) throw error;
            return false;
          },
        );
      });
      const grown = live.stop();
      // All of it at once would be well over 100 MiB.
      expect(grown).toBeLessThan(64 * 1024 * 1024);
      return made(tenantId, id);
    })();
    expect(report).toMatchObject({ state: 'ready', problem: '' });
    const file = await fileOf(chunks);
    const verdict = await verifyPackage(file, { trustedKeys: [bench.keys.treeHeadPublic] });
    expect(verdict).toMatchObject({ ok: true, problem: null, log: { included: 100_000 } });
  });
});

/** How much more memory was in use at most than at the beginning, garbage left out. */
function watchLiveMemory(): { stop(): number } {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const inUse = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = inUse();
  let most = before;
  let timer: NodeJS.Timeout;
  // Each after a pause, however long the last one took: else little time is left for what is watched.
  const look = (): void => {
    timer = setTimeout(() => {
      most = Math.max(most, inUse());
      look();
    }, 1_000);
  };
  look();
  return {
    stop: () => {
      clearTimeout(timer);
      return Math.max(most, inUse()) - before;
    },
  };
}
