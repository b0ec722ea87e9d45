import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Elevations, startElevations, TECHNICIAN } from '../../elevation-support.ts';
import { ADMIN, APPROVER, codeOf, REQUESTER, type Tenant } from '../../test-support.ts';
import { beyondAsked, minutesWithin } from './beyond-asked.ts';

let service: Elevations;
let tenant: Tenant;
beforeAll(async () => {
  service = await startElevations();
});
afterAll(() => service?.[Symbol.asyncDispose]());
beforeEach(() => {
  tenant = service.tenant();
  service.decider.verdict = 'pending';
  service.decider.minutes = null;
});

const RUNS = { numRuns: 25 };
const minutes = fc.integer({ min: 1, max: 1_440 });
const orNothing = fc.option(minutes, { nil: undefined });
const verdict = fc.constantFrom('pending' as const, 'auto_approved' as const);
const technician = () => tenant.user(TECHNICIAN);

test('an extent within the request is accepted; otherwise the exceeded dimension is named', () => {
  const extent = fc.record({
    subject: fc.dictionary(fc.constantFrom('entryId', 'deviceId'), fc.constantFrom('a', 'b', null)),
    userId: fc.constantFrom('ann', 'bob', null),
    minutes: fc.option(fc.integer({ min: 1, max: 5 })),
    oneTime: fc.boolean(),
    rotateOnEnd: fc.boolean(),
  });
  const isSame = (a: object, b: object) =>
    ['entryId', 'deviceId'].every(
      (name) => (Reflect.get(a, name) ?? null) === (Reflect.get(b, name) ?? null),
    );
  fc.assert(
    fc.property(extent, extent, (asked, given) => {
      const holds =
        isSame(asked.subject, given.subject) &&
        asked.userId === given.userId &&
        (asked.minutes === null || (given.minutes !== null && given.minutes <= asked.minutes)) &&
        (!asked.oneTime || given.oneTime) &&
        (!asked.rotateOnEnd || given.rotateOnEnd);
      expect(beyondAsked(asked, given) === undefined).toBe(holds);
      const wanted = given.minutes ?? 1_440;
      expect(beyondAsked(asked, { ...asked, minutes: minutesWithin(asked, wanted) })).toBeUndefined();
    }),
  );
});

test('access: a grant never gives more than was requested, for any approver and duration', async () => {
  const steps = [1, 2].map((at) => ({
    name: `step ${at}`,
    quorum: 1,
    approverUserIds: [],
    approverRoles: [],
  }));
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 480 }),
      fc.array(orNothing, { minLength: 2, maxLength: 4 }),
      fc.boolean(),
      async (asked, answers, oneTime) => {
        const { resourceId, entryIds } = service.vault.addResource(tenant.tenantId, 'db');
        const terms = { maxDurationMinutes: 480, oneTime, rotateOnEnd: !oneTime, requestTtlMinutes: 60 };
        await service.handlers.putAccessPolicy(tenant.user(ADMIN), { resourceId, steps, ...terms });
        const requester = tenant.user(REQUESTER);
        const { request } = await service.handlers.createRequest(requester, {
          resourceId,
          reason: 'why',
          durationMinutes: asked,
        });
        const requestId = request!.id;
        let shortest = asked;
        for (const durationMinutes of answers) {
          const code = await codeOf(
            service.handlers.approveRequest(tenant.user(APPROVER), { requestId, durationMinutes }),
          );
          if (code === 'wrong_status') break;
          expect(code).toBe((durationMinutes ?? 0) > asked ? 'invalid' : 'ok');
          if (code === 'ok') shortest = Math.min(shortest, durationMinutes ?? asked);
        }
        const grants = await service.scratch.query<Record<string, unknown>>(
          `SELECT *, extract(epoch FROM expires_at - starts_at)::float / 60 AS minutes FROM ${service.schema}.grants WHERE request_id = $1`,
          [requestId],
        );
        for (const grant of grants)
          expect(grant).toMatchObject({
            user_id: requester.userId,
            entry_id: entryIds[0],
            resource_id: resourceId,
            one_time: oneTime,
            rotate_on_end: !oneTime,
            minutes: shortest,
          });
      },
    ),
    RUNS,
  );
});

/** The duration in minutes, from the decision on. */
async function givenFor(id: string): Promise<number> {
  const row = await service.row(id);
  return ((row.expires_at as Date).getTime() - (row.decided_at as Date).getTime()) / 60_000;
}

/** The database's clock advances a little between the times of a rule's decision. */
const SLACK = 0.5;

test('a technician: a rule or an approver never gives more time than was requested', async () => {
  const agent = service.devices.add(tenant.tenantId);
  await fc.assert(
    fc.asyncProperty(orNothing, verdict, minutes, orNothing, async (asked, decided, ofRule, answer) => {
      service.decider.verdict = decided;
      service.decider.minutes = ofRule;
      const fields = { deviceId: agent.userId, reason: 'patch', ...(asked && { durationMinutes: asked }) };
      const { request } = await service.elevations.requestElevation(technician(), fields);
      const most = asked ?? 15;
      if (decided === 'pending') {
        const respond = service.elevations.respondToElevation(technician(), {
          id: request!.id,
          decision: 'approve',
          ...(answer && { durationMinutes: answer }),
        });
        if ((answer ?? 0) > most) {
          await expect(respond).rejects.toMatchObject({
            reason: 'invalid',
            fields: [{ pointer: '/durationMinutes' }],
          });
          expect((await service.row(request!.id)).status).toBe('pending');
          return;
        }
        await respond;
      }
      expect(await givenFor(request!.id)).toBeLessThanOrEqual(most + SLACK);
    }),
    RUNS,
  );
});

test('a tool: an approval is valid for the requested digest, and no longer than the tool waits', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 60, max: 86_400 }),
      verdict,
      minutes,
      orNothing,
      async (waits, decided, ofRule, answer) => {
        service.decider.verdict = decided;
        service.decider.minutes = ofRule;
        const actionDigest = randomUUID().replaceAll('-', '').repeat(2);
        const tool = technician();
        const { request } = await service.elevations.requestToolAction(tool, {
          toolName: 'shell',
          riskTier: 1,
          actionDigest,
          reason: 'why',
          executionTimeoutSeconds: waits,
        });
        const { id } = request!;
        if (decided === 'pending') {
          const code = await codeOf(
            service.elevations.respondToElevation(technician(), {
              id,
              decision: 'approve',
              ...(answer && { durationMinutes: answer }),
            }),
          );
          expect(code).toBe((answer ?? 0) > Math.ceil(waits / 60) ? 'invalid' : 'ok');
          if (code !== 'ok') return;
        }
        const row = await service.row(id);
        expect(row.action_digest).toBe(actionDigest);
        expect((row.expires_at as Date) <= (row.execution_expires_at as Date)).toBe(true);
        const other = { id, actionDigest: 'e'.repeat(64) };
        expect(await codeOf(service.elevations.claimToolAction(tool, other))).toBe('digest_mismatch');
      },
    ),
    RUNS,
  );
});

test('an action stays pending when a rule approves another digest than the requested one', async () => {
  const decide = service.decider.decide.bind(service.decider);
  service.decider.verdict = 'auto_approved';
  service.decider.decide = async (tenantId, facts) => {
    const decided = await decide(tenantId, facts);
    return { ...decided, evaluation: { ...decided.evaluation, actionDigest: 'f'.repeat(64) } };
  };
  try {
    const { request } = await service.elevations.requestToolAction(technician(), {
      toolName: 'shell',
      riskTier: 1,
      actionDigest: 'a'.repeat(64),
      reason: 'why',
    });
    expect(request!.status).toBe('pending');
  } finally {
    service.decider.decide = decide;
  }
});

test('the database refuses a grant, decision or elevation that gives more than was requested', async () => {
  const { schema, scratch } = service;
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
  const asked = { resourceId, reason: 'why', durationMinutes: 30 };
  const { request } = await service.handlers.createRequest(tenant.user(REQUESTER), asked);
  const { id: requestId } = request!;
  const sql = (text: string) => scratch.query(`SET LOCAL search_path TO ${schema}; ${text}`);
  await expect(
    sql(`INSERT INTO decisions (tenant_id, request_id, step, user_id, user_name, decision, comment, duration_minutes)
      VALUES ('${tenant.tenantId}', '${requestId}', 0, '${randomUUID()}', 'x', 'approve', '', 31)`),
  ).rejects.toThrow(/gives more than request/);
  await service.handlers.approveRequest(tenant.user(APPROVER), { requestId, durationMinutes: 20 });
  const columns = [
    'user_id',
    'entry_id',
    'resource_id',
    'one_time',
    'rotate_on_end',
    'starts_at',
    'expires_at',
  ];
  const copy = (changed: string, value: string) =>
    sql(`INSERT INTO grants (tenant_id, id, request_id, user_name, entry_name, resource_name, module_type, sync_wanted,
        next_sync_at, ${columns})
      SELECT tenant_id, gen_random_uuid(), request_id, user_name, entry_name, resource_name, module_type, 'place', now(),
        ${columns.map((column) => (column === changed ? value : column))}
      FROM grants WHERE request_id = '${requestId}'`);
  for (const [column, value] of [
    ['resource_id', 'gen_random_uuid()'],
    ['one_time', 'false'],
    ['rotate_on_end', 'false'],
    ['starts_at', "starts_at - interval '1 day'"],
    ['expires_at', "starts_at + interval '21 minutes'"],
  ] as const)
    await expect(copy(column, value), column).rejects.toThrow(/gives more than request/);
  // Unchanged, the copy is a second grant but does not give more.
  await expect(copy('entry_id', 'entry_id')).rejects.toThrow(/duplicate key/);

  const agent = service.devices.add(tenant.tenantId);
  const technicians = await service.elevations.requestElevation(technician(), {
    deviceId: agent.userId,
    reason: 'patch',
    durationMinutes: 30,
  });
  const approve = (id: string, time: string) =>
    sql(`UPDATE elevation_requests SET status = 'approved', approved_by = gen_random_uuid(), decided_at = now(),
      decision_source = 'human', expires_at = now() + interval '${time}' WHERE id = '${id}'`);
  await expect(approve(technicians.request!.id, '31 minutes')).rejects.toThrow(/longer than was asked/);
  const prompt = await service.prompt(agent);
  await expect(approve(prompt, '25 hours')).rejects.toThrow(/longer than was asked/);
  await expect(sql(`UPDATE elevation_requests SET pid = 1 WHERE id = '${prompt}'`)).rejects.toThrow(
    /asks for never changes/,
  );
  const tool = await service.elevations.requestToolAction(technician(), {
    toolName: 'shell',
    riskTier: 1,
    actionDigest: 'a'.repeat(64),
    reason: 'why',
    executionTimeoutSeconds: 60,
  });
  await expect(approve(tool.request!.id, '2 minutes')).rejects.toThrow(/longer than was asked/);
});
