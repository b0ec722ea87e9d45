import { randomUUID } from 'node:crypto';
import { soleReplica } from '@claviger/cluster';
import type { AuditEvent } from '@claviger/events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AuditBench, eventually, silent, startBench } from '../../test-support.ts';
import { startReadClosing } from './close-reads.ts';

let bench: AuditBench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(async () => {
  await bench?.[Symbol.asyncDispose]();
});

const list = {
  from: '',
  to: '',
  userId: '',
  action: '',
  outcome: '',
  resourceId: '',
  subjectId: '',
  search: '',
  sortBy: '',
  sortOrder: '',
  cursor: '',
};

/** The read events in the outbox; they are stored before the answer. */
async function readsOf(tenantId: string): Promise<AuditEvent[]> {
  const rows = await bench.superuser(
    `SELECT payload FROM outbox WHERE tenant_id = $1 AND subject = 'audit.audit' AND payload::jsonb ->> 'action' <> 'test.happened'
     ORDER BY created_at`,
    [tenantId],
  );
  return rows.map((row) => JSON.parse(row.payload as string) as AuditEvent);
}
const told = (events: readonly AuditEvent[]) =>
  events.map(({ action, outcome, details }) => [action, outcome, details.reads]);
const windowOver = (tenantId: string) =>
  bench.superuser(`UPDATE audited_reads SET due_at = now() - interval '1 second' WHERE tenant_id = $1`, [
    tenantId,
  ]);

test('the first read of an actor, operation and filter writes its event before the answer; paging and repeating write none', async () => {
  const tenant = randomUUID();
  const [eventId] = await bench.record(tenant, 3);
  await bench.sequenced(tenant, 3);
  const [ann, bob] = [await bench.as(tenant), await bench.as(tenant)];
  const { client } = bench;
  await client.listEvents({ ...list, action: 'test.happened' }, ann);
  expect(await readsOf(tenant)).toMatchObject([
    {
      action: 'audit.events-listed',
      outcome: 'allowed',
      actorName: 'auditor',
      actorKind: 'user',
      details: { action: 'test.happened', reads: 1 },
    },
  ]);
  await client.listEvents({ ...list, action: 'test.happened', page: 1, pageSize: 1, sortOrder: 'asc' }, ann);
  await client.listEvents({ ...list, action: 'test.happened' }, ann);
  expect(await readsOf(tenant)).toHaveLength(1);
  await client.listEvents({ ...list, action: 'test.happened' }, bob);
  await client.listEvents({ ...list, action: 'test.other' }, ann);
  expect(await readsOf(tenant)).toHaveLength(3);

  await client.getEvent({ eventId: eventId! }, ann);
  await client.getSummary({ from: '', to: '' }, ann);
  await client.getTreeHead({}, ann);
  await client.listTreeHeads({ sortBy: '', sortOrder: '', cursor: '' }, ann);
  await client.getInclusionProof({ eventId: eventId! }, ann);
  await client.getConsistencyProof({ first: 1, second: 1 }, ann);
  const events = (await readsOf(tenant)).slice(3);
  expect(told(events)).toEqual(
    [
      'event-read',
      'summary-read',
      'tree-head-read',
      'tree-heads-listed',
      'inclusion-proof-read',
      'consistency-proof-read',
    ].map((action) => [`audit.${action}`, 'allowed', 1]),
  );
  for (const index of [0, 4])
    expect(events[index]).toMatchObject({ subjectType: 'event', subjectId: eventId });
});

test('a read without a match writes its own event: failed attempts are not combined', async () => {
  const tenant = randomUUID();
  const as = await bench.as(tenant);
  for (let n = 0; n < 2; n += 1)
    await expect(bench.client.getEvent({ eventId: randomUUID() }, as)).rejects.toMatchObject({
      reason: 'not_found',
    });
  await expect(bench.client.listEvents(list, await bench.as(tenant, []))).rejects.toMatchObject({
    reason: 'denied',
  });
  expect((await readsOf(tenant)).map(({ action, outcome }) => [action, outcome])).toEqual([
    ['audit.event-read', 'failed'],
    ['audit.event-read', 'failed'],
    ['audit.events-listed', 'denied'],
  ]);
});

test('parallel identical reads are counted in one event every ten minutes, also if the process is killed; the row is then removed', async () => {
  const tenant = randomUUID();
  const as = await bench.as(tenant);
  const search = { ...list, search: 'somebody' };
  await Promise.all(Array.from({ length: 12 }, () => bench.client.listEvents(search, as)));
  expect(told(await readsOf(tenant))).toEqual([['audit.events-listed', 'allowed', 1]]);
  await bench.stack.kill('audit-1');
  await windowOver(tenant);
  await bench.stack.restart('audit-1');
  await eventually(async () => (await readsOf(tenant)).length === 2);
  const [first, second] = await readsOf(tenant);
  expect(second).toMatchObject({
    action: 'audit.events-listed',
    outcome: 'allowed',
    actorId: first!.actorId,
    actorName: 'auditor',
    details: { search: 'somebody', reads: 11, since: first!.occurredAt },
  });
  expect(second!.id).not.toBe(first!.id);
  // Without further reads, no event is written and no row remains.
  await windowOver(tenant);
  await eventually(
    async () =>
      (await bench.superuser('SELECT 1 FROM audited_reads WHERE tenant_id = $1', [tenant])).length === 0,
  );
  expect(await readsOf(tenant)).toHaveLength(2);
  await bench.client.listEvents(search, as);
  expect(told(await readsOf(tenant)).slice(2)).toEqual([['audit.events-listed', 'allowed', 1]]);
  // The event of the sweep arrives in the log with its proof, like any other.
  await bench.sequenced(tenant, 3);
});

test('two parallel sweeps write a count once', async () => {
  const tenant = randomUUID();
  const as = await bench.as(tenant);
  await Promise.all(Array.from({ length: 5 }, () => bench.client.getSummary({ from: '', to: '' }, as)));
  const deps = { ...bench, cluster: soleReplica(silent) };
  await windowOver(tenant);
  await using _one = startReadClosing(deps);
  await using _two = startReadClosing(deps);
  await eventually(async () => (await readsOf(tenant)).length === 2);
  await windowOver(tenant);
  await eventually(
    async () =>
      (await bench.superuser('SELECT 1 FROM audited_reads WHERE tenant_id = $1', [tenant])).length === 0,
  );
  expect(told(await readsOf(tenant)).map(([, , reads]) => reads)).toEqual([1, 4]);
});

test('a read that cannot be recorded returns nothing', async () => {
  const tenant = randomUUID();
  await bench.record(tenant, 1);
  await bench.sequenced(tenant, 1);
  const as = await bench.as(tenant);
  await bench.superuser(`REVOKE INSERT ON outbox FROM ${bench.config.database.user}`);
  try {
    await expect(bench.client.getTreeHead({}, as)).rejects.toMatchObject({ reason: 'audit_unavailable' });
  } finally {
    await bench.superuser(`GRANT INSERT ON outbox TO ${bench.config.database.user}`);
  }
  await expect(bench.client.getTreeHead({}, as)).resolves.toBeDefined();
});
