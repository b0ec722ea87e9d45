import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AuditBench, startBench, text } from '../test-support.ts';

let bench: AuditBench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(async () => {
  await bench?.[Symbol.asyncDispose]();
});

test('an event that was written to the outbox is listed, read and counted', async () => {
  const tenant = randomUUID();
  const ids = await bench.record(tenant, 60, (n) => ({
    action: n % 2 ? 'vault.entry.read' : 'auth.login',
    outcome: n % 3 ? 'allowed' : 'denied',
    reason: n === 7 ? '100%_sure\\' : 'because',
  }));
  await bench.sequenced(tenant, 60);
  const as = await bench.as(tenant);
  const list = (change: object) =>
    bench.client.listEvents(
      {
        sortBy: '',
        sortOrder: '',
        cursor: '',
        from: '',
        to: '',
        userId: '',
        action: '',
        outcome: '',
        resourceId: '',
        search: '',
        subjectId: '',
        ...change,
      },
      as,
    );
  // Count first, because each read writes an event.
  const summary = await bench.client.getSummary({ from: '', to: '' }, as);
  const seen = [];
  let cursor: string | undefined = '';
  while (cursor !== undefined) {
    const page: Awaited<ReturnType<typeof list>> = await list({ pageSize: 13, cursor });
    // These reads write an event themselves.
    expect(page.totalItems).toBeGreaterThanOrEqual(60);
    seen.push(...page.items.filter(({ action }) => !action.startsWith('audit.')));
    cursor = page.nextCursor;
  }
  expect(seen.map((event) => event.id).toSorted()).toEqual(ids.toSorted());
  expect((await list({ action: 'vault.*' })).totalItems).toBe(30);
  expect((await list({ action: 'vault.entry.read', outcome: 'denied' })).totalItems).toBe(10);
  expect((await list({ search: '%_SURE\\' })).totalItems).toBe(1);
  expect((await list({ search: '%' })).totalItems).toBe(1);
  expect((await list({ subjectId: 'thing-3' })).items[0]).toMatchObject({ details: { n: 3 }, canonical: '' });
  // Two days if midnight passed in between.
  const byDay = [...Map.groupBy(seen, (event) => event.occurredAt!.slice(0, 10))]
    .map(([day, events]) => ({ day, count: events.length }))
    .toSorted((a, b) => a.day.localeCompare(b.day));
  const range = { from: byDay[0]!.day, to: byDay.at(-1)!.day };
  expect((await list({ ...range, search: 'thing-' })).totalItems).toBe(60);
  for (const bad of [
    { from: '2026-02-30' },
    { from: range.from, to: '2020-01-01' },
    { sortBy: '__proto__' },
    { sortBy: 'canonical' },
    { cursor: 'x' },
    { outcome: 'maybe' },
    { search: 'a\u0000' },
  ])
    await expect(list(bad), JSON.stringify(bad)).rejects.toMatchObject({ reason: 'invalid' });

  const { event } = await bench.client.getEvent({ eventId: ids[0]! }, as);
  expect(JSON.parse(event!.canonical)).toMatchObject({ id: ids[0], tenantId: tenant, details: { n: 0 } });
  expect(summary).toMatchObject({
    totalEvents: 60,
    allowed: 40,
    denied: 20,
    failed: 0,
    sealedEvents: 60,
    unsealedEvents: 0,
  });
  expect(summary.byAction).toEqual([
    { action: 'auth.login', count: 30 },
    { action: 'vault.entry.read', count: 30 },
  ]);
  expect(summary.byActor).toEqual([{ actorId: '', actorName: 'audit', count: 60 }]);
  expect(summary.byDay).toEqual(byDay);
});

test('a tenant sees nothing of another tenant: an event of another tenant and an unknown event have the same answer', async () => {
  const tenant = randomUUID();
  const [id] = await bench.record(tenant, 1);
  await bench.sequenced(tenant, 1);
  const other = await bench.as(randomUUID());
  const refusals = [];
  for (const eventId of [id!, randomUUID(), 'no-uuid'])
    refusals.push(
      await bench.client
        .getEvent({ eventId }, other)
        .catch((error) => ({ ...error, message: error.message, cause: 0, correlationId: 0 })),
    );
  expect(refusals[0]).toMatchObject({ reason: 'not_found' });
  expect(refusals[1]).toEqual(refusals[0]);
  expect(refusals[2]).toEqual(refusals[0]);
  await expect(bench.client.getInclusionProof({ eventId: id! }, other)).rejects.toMatchObject({
    reason: 'not_found',
  });
  // Its log is still empty: the refusals above are in the log of the first tenant.
  const fresh = () => bench.as(randomUUID());
  expect(await bench.client.getSummary({ from: '', to: '' }, await fresh())).toMatchObject({
    totalEvents: 0,
  });
  await expect(bench.client.getTreeHead({}, await fresh())).rejects.toMatchObject({ code: 'not_sealed' });
  const exported = await text(
    bench.client.exportEvents(
      {
        from: '',
        to: '',
        format: 'csv',
        userId: '',
        action: '',
        outcome: '',
        resourceId: '',
        subjectId: '',
        search: '',
        bom: false,
      },
      await fresh(),
    ),
  );
  expect(exported.split('\r\n')).toHaveLength(2);
});

test('without the permission nothing is returned, and a refused export is itself an event', async () => {
  const tenant = randomUUID();
  const nobody = await bench.as(tenant, ['vault.*']);
  await expect(bench.client.getSummary({ from: '', to: '' }, nobody)).rejects.toMatchObject({
    reason: 'denied',
  });
  await expect(
    text(
      bench.client.exportEvents(
        {
          from: '',
          to: '',
          format: 'csv',
          userId: '',
          action: '',
          outcome: '',
          resourceId: '',
          subjectId: '',
          search: '',
          bom: false,
        },
        nobody,
      ),
    ),
  ).rejects.toMatchObject({ reason: 'denied' });
  await bench.sequenced(tenant, 1);
  const summary = await bench.client.getSummary({ from: '', to: '' }, await bench.as(tenant));
  expect(summary).toMatchObject({ allowed: 0 });
  expect(summary.byAction).toContainEqual({ action: 'audit.exported', count: 1 });
});

test('the service is healthy', async () => {
  // Each health request allows two seconds for every check.
  await expect.poll(() => bench.healthNow()).toMatchObject({ service: 'audit', status: 'ok' });
  const health = await bench.healthNow();
  expect(health.checks.map((check) => check.name)).toEqual(
    expect.arrayContaining(['database', 'nats', 'sealing', 'tree heads']),
  );
});
