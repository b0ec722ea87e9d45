import { randomUUID } from 'node:crypto';
import { soleLeadership } from '@claviger/cluster';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Elevations, promptOf, startElevations, TECHNICIAN } from '../../elevation-support.ts';
import { codeOf, type Tenant } from '../../test-support.ts';
import { forgetReports } from './forget-reports.ts';

let service: Elevations;
let tenant: Tenant;
let agent: ReturnType<Elevations['devices']['add']>;
beforeAll(async () => {
  service = await startElevations();
});
afterAll(() => service?.[Symbol.asyncDispose]());
beforeEach(() => {
  tenant = service.tenant();
  agent = service.devices.add(tenant.tenantId);
  service.decider.verdict = 'pending';
});

const ago = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString();
const seen = (fields: object = {}) => ({
  ...promptOf(agent.userId),
  commandLine: 'setup.exe /S',
  observedAt: ago(0),
  ...fields,
});
const report = (prompt: object) => service.elevations.ingestElevationRequest(agent, prompt);
const requests = async () =>
  (await service.elevations.listElevationRequests(tenant.user(TECHNICIAN))).pagination!.total;

test('a repeated report is answered with its request, by its id or by its content and time', async () => {
  for (const prompt of [
    seen({ reportId: randomUUID() }),
    seen({ observedAt: ago(1) }),
    seen({ observedAt: ago(23.9) }),
  ]) {
    const first = await report(prompt);
    expect(first).toMatchObject({ status: 'pending', httpStatus: 201 });
    const again = await report(prompt);
    expect(again).toEqual({ id: first.id, status: 'pending', httpStatus: 200, repeated: true });
    // A repetition after the decision returns the current status.
    await service.elevations.respondToElevation(tenant.user(TECHNICIAN), { id: first.id!, decision: 'deny' });
    expect(await report(prompt)).toMatchObject({ id: first.id, status: 'denied', repeated: true });
    const events = (await service.events(first.id!)).filter(
      (event) => event.action === 'elevation.requested',
    );
    expect(events.map((event) => event.details.repeated ?? false)).toEqual([false, true, true]);
  }
  expect(await requests()).toBe(3);
});

test('another time, id, device or program is another observation', async () => {
  const reportId = randomUUID();
  const observedAt = ago(1);
  const prompts = [
    seen({ reportId, observedAt }),
    seen({ reportId: randomUUID(), observedAt }),
    seen({ observedAt }),
    seen({ observedAt: ago(1.1) }),
    seen({ observedAt, targetExecutablePath: 'C:\\other.exe' }),
    seen({ observedAt, commandLine: 'setup.exe /other' }),
  ];
  const ids = [];
  for (const prompt of prompts) ids.push((await report(prompt)).id);
  const other = service.devices.add(tenant.tenantId);
  ids.push((await service.elevations.ingestElevationRequest(other, { ...prompts[0]!, id: other.userId })).id);
  expect(new Set(ids).size).toBe(7);
});

test('concurrent copies of a report create one request', async () => {
  for (const prompt of [
    seen({ reportId: randomUUID() }),
    seen({ observedAt: ago(2) }),
    seen({ observedAt: '' }),
  ]) {
    const answers = await Promise.all(Array.from({ length: 12 }, () => report(prompt)));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1);
  }
  expect(await requests()).toBe(3);
});

test('a report older than a day is refused by the clock of the database, known or not; so is one from the future', async () => {
  const refused = async (fields: object) =>
    report(seen(fields)).then(
      () => 'taken',
      (error: { code: string; fields: { pointer: string }[] }) => [error.code, error.fields[0]!.pointer],
    );
  expect(await refused({ observedAt: ago(24.1) })).toEqual(['observation_too_old', '/observed_at']);
  expect(await refused({ observedAt: ago(2_000), reportId: randomUUID() })).toEqual([
    'observation_too_old',
    '/observed_at',
  ]);
  expect(await refused({ observedAt: ago(-1.1) })).toEqual(['invalid', '/observed_at']);
  expect(await refused({ observedAt: ago(-0.9) })).toBe('taken');
  // Without a time, the retention of the id would be unknown.
  expect(await refused({ observedAt: '', reportId: randomUUID() })).toEqual(['invalid', '/observed_at']);
});

test('a report without id and time is a repetition while its request is pending, and a new one afterwards', async () => {
  const prompt = seen({ observedAt: '' });
  const first = await report(prompt);
  expect(await report(prompt)).toMatchObject({ id: first.id, repeated: true });
  await service.elevations.respondToElevation(tenant.user(TECHNICIAN), { id: first.id!, decision: 'deny' });
  const second = await report(prompt);
  expect(second).toMatchObject({ httpStatus: 201 });
  expect(second.id).not.toBe(first.id);
});

test('an id names one observation: a report of another one with it is refused', async () => {
  const reportId = randomUUID();
  await report(seen({ reportId, observedAt: ago(1) }));
  const other = seen({ reportId, observedAt: ago(1), targetExecutablePath: 'C:\\other.exe' });
  expect(await codeOf(report(other))).toBe('report_id_reused');
});

test('a prompt that a rule ignored is ignored again, without a new decision', async () => {
  service.decider.verdict = 'ignored';
  const prompt = seen({ reportId: randomUUID() });
  await report(prompt);
  service.decider.verdict = 'auto_approved';
  const asked = service.decider.asked.length;
  expect(await report(prompt)).toEqual({ id: undefined, status: 'ignored', httpStatus: 200, repeated: true });
  expect(service.decider.asked).toHaveLength(asked);
});

test('old reports are erased in batches, and never while a repetition is still possible', async () => {
  const { schema, scratch } = service;
  await report(seen({ reportId: randomUUID(), observedAt: ago(23) }));
  await scratch.query(
    `INSERT INTO ${schema}.device_reports SELECT '${tenant.tenantId}', '${agent.userId}', 'old' || n, repeat('a', 64), NULL,
       now() - interval '1 minute' FROM generate_series(1, 25) n;
     INSERT INTO ${schema}.device_users SELECT '${tenant.tenantId}', '${agent.userId}', gen_random_uuid(),
       now() - interval '31 days' FROM generate_series(1, 5)`,
  );
  const rounds = [];
  for (let round = 0; round < 4; round += 1)
    rounds.push(await forgetReports(service.deps, soleLeadership, 10));
  expect(rounds).toEqual([true, true, false, false]);
  const left = await scratch.query<{ reports: number; soonest: number }>(
    `SELECT count(*)::int AS reports, min(extract(epoch FROM kept_until - now()) / 3600)::float AS soonest
     FROM ${schema}.device_reports WHERE device_id = '${agent.userId}'`,
  );
  expect(left[0]!.reports).toBe(1);
  expect(left[0]!.soonest).toBeGreaterThan(24);
  expect(
    await scratch.query(`SELECT FROM ${schema}.device_users WHERE device_id = '${agent.userId}'`),
  ).toEqual([]);
});
