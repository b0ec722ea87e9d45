import { randomUUID } from 'node:crypto';
import type * as audit from '@claviger/contracts/audit/v1/audit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AuditBench, silent, startBench, storeSequenced } from '../../test-support.ts';
import { type CostlyReadsOptions, createCostlyReads } from './costly-reads.ts';

let bench: AuditBench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(async () => {
  await bench?.[Symbol.asyncDispose]();
});

const reads = (options?: CostlyReadsOptions) =>
  createCostlyReads({ config: bench.config, treeHeadPublic: bench.keys.treeHeadPublic }, silent, options);
const waits = new AbortController().signal;
const noFilter = {
  from: '',
  to: '',
  userId: '',
  action: '',
  outcome: '',
  resourceId: '',
  subjectId: '',
  search: '',
};
const search = (tenantId: string, change: Partial<audit.ListEventsRequest> = {}) =>
  ({
    kind: 'search',
    tenantId,
    request: { ...noFilter, search: 'retrieved', sortBy: '', sortOrder: '', cursor: '', ...change },
  }) as const;

const exportOf = (tenantId: string, size: number) =>
  ({
    kind: 'export',
    tenantId,
    request: { format: 'csv', bom: false, filter: noFilter, head: { size } as never, exportedAt: '' },
  }) as const;

/** Stores a log of some megabytes and returns the job that exports it. */
async function longLog() {
  const tenantId = randomUUID();
  await storeSequenced(bench, tenantId, 5_000, () => ({ details: { note: 'x'.repeat(1_000) } }));
  return exportOf(tenantId, 5_000);
}

test('searches, summaries and exports of several tenants run in parallel in one thread', async () => {
  await using costly = reads();
  const [mine, others] = [await longLog(), await longLog()];
  const lengthOf = async (job: typeof mine) => {
    let length = 0;
    for await (const value of costly.values(job, waits)) length += value.length;
    return length;
  };
  const [first, second, found, counted] = await Promise.all([
    lengthOf(mine),
    lengthOf(others),
    costly.value(search(mine.tenantId), waits),
    costly.value({ kind: 'summary', tenantId: mine.tenantId, request: { from: '', to: '' } }, waits),
  ]);
  expect(first).toBeGreaterThan(5_000_000);
  expect(second).toBe(first);
  expect(found.totalItems).toBe(5_000);
  expect(counted.totalEvents).toBe(5_000);
  expect(costly.state()).toEqual({ jobs: 0, isRunning: true });
});

test('typed errors of the thread keep their fields, and other errors remain untyped', async () => {
  await using costly = reads();
  await expect(costly.value(search(randomUUID(), { from: '2026-02-30' }), waits)).rejects.toMatchObject({
    reason: 'invalid',
    fields: [{ pointer: '/from', detail: expect.any(String) }],
  });
  const defect = costly.value(search('no id'), waits);
  await expect(defect).rejects.toThrow('A costly read failed.');
  await expect(defect).rejects.not.toHaveProperty('reason');
});

test('closing an export ends its job, and an aborted call returns no value', async () => {
  await using costly = reads();
  const job = await longLog();
  for await (const value of costly.values(job, waits)) {
    expect(value.length).toBeGreaterThan(0);
    break;
  }
  expect(costly.state()).toEqual({ jobs: 0, isRunning: true });
  const caller = new AbortController();
  const values = costly.values(job, caller.signal);
  await values.next();
  caller.abort();
  const rest = async () => {
    for await (const _ of values);
  };
  await expect(rest()).rejects.toMatchObject({ reason: 'deadline_exceeded' });
  // The connections of the thread are free again.
  expect((await costly.value(search(job.tenantId), waits)).totalItems).toBe(5_000);
});

test('a thread that runs out of memory fails its jobs as unavailable; the next job starts a new one', async () => {
  await using costly = reads({ heapMb: 128 });
  const tenantId = randomUUID();
  // The events are so long that one batch is twice the heap.
  await bench.superuser(
    `INSERT INTO events (tenant_id, event_id, sequence, canonical, leaf_hash, mac, action, outcome, actor_id, actor_name, actor_kind,
       subject_type, subject_id, resource_id, service, source_address, request_id, reason, occurred_at)
     SELECT $1, gen_random_uuid(), n, repeat('x', 500000), sha256('x'), sha256('x'), 'a', 'allowed', '', '', 'user', '', '', '', 'vault', '', '', '', now()
     FROM generate_series(0, 499) n`,
    [tenantId],
  );
  const read = async () => {
    for await (const _ of costly.values(exportOf(tenantId, 500), waits));
  };
  await expect(read()).rejects.toMatchObject({ reason: 'unavailable', retryAfterSeconds: 1 });
  expect((await costly.value(search(randomUUID()), waits)).totalItems).toBe(0);
});

test('an idle thread ends with its connections and starts again on demand', async () => {
  await using costly = reads({ idleMs: 1 });
  for (let n = 0; n < 2; n += 1) {
    await costly.value(search(randomUUID()), waits);
    await expect.poll(() => costly.state().isRunning).toBe(false);
  }
});
