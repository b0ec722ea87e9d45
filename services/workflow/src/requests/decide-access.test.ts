import * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { accessRuleOf } from '@claviger/evaluator';
import type { Actor } from '@claviger/service-kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ADMIN,
  APPROVER,
  bind,
  codeOf,
  REQUESTER,
  startWorkflow,
  type Tenant,
  type Workflow,
} from '../../test-support.ts';
import { changeRuleSet } from '../rules/change-rule-set.ts';
import { createDecider, type Decider, type DecisionStages } from '../rules/decider.ts';
import { ruleSetAt } from '../rules/load-rule-set.ts';
import { findEvaluation } from '../rules/record-evaluation.ts';
import { createRequest } from './create-request.ts';

let service: Workflow;
beforeAll(async () => {
  service = await startWorkflow();
});
afterAll(() => service?.[Symbol.asyncDispose]());

const anyone = { name: 'approval', quorum: 1, approverUserIds: [], approverRoles: [] };
const terms = {
  steps: [anyone, { ...anyone, name: 'second', approverRoles: ['security'] }],
  maxDurationMinutes: 60,
  requestTtlMinutes: 90,
  oneTime: false,
  rotateOnEnd: true,
};

function scene() {
  const tenant = service.tenant();
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
  return { tenant, resourceId, admin: tenant.user(ADMIN), requester: tenant.user(REQUESTER) };
}
const ask = (actor: Actor, resourceId: string, durationMinutes = 30) =>
  service.handlers.createRequest(actor, { resourceId, reason: 'why', durationMinutes });
const evaluationOf = (tenant: Tenant, requestId: string) =>
  service.deps.database.readTenant(tenant.tenantId, (reader) => findEvaluation(reader, requestId));

/** The handler with another decision service. */
const asking = (decider: Decider) =>
  bind(workflow.RequestsService, { createRequest: createRequest({ ...service.deps, decider }) })
    .createRequest;

describe('a request for access is decided by the evaluator', () => {
  test('a policy is a rule of the next version, with its author; the decision is stored with facts and version', async () => {
    const { tenant, resourceId, admin, requester } = scene();
    const { request: first } = await ask(requester, resourceId);
    await service.handlers.putAccessPolicy(admin, { resourceId, ...terms });
    const { request: second } = await ask(requester, resourceId, 31);
    expect(second).toMatchObject({ status: 'pending', steps: [{ name: 'approval' }, { name: 'second' }] });
    expect(await evaluationOf(tenant, first!.id)).toMatchObject({
      evaluation: { verdict: 'needs_approval', ruleSetVersion: '0', access: { maxDurationMinutes: 480 } },
    });
    expect(await evaluationOf(tenant, second!.id)).toMatchObject({
      facts: {
        kind: 'access',
        resourceId,
        subjectUserId: requester.userId,
        durationMinutes: 31,
        reason: 'why',
      },
      evaluation: { verdict: 'needs_approval', ruleSetVersion: '1', source: 'access_policy' },
      label: `${requester.userName} for db`,
    });
    const set = await ruleSetAt(service.deps.database, tenant.tenantId, 1);
    expect(set.broken).toEqual([]);
    expect(set.rules.find((rule) => rule.matchResourceId === resourceId)).toEqual(
      accessRuleOf(resourceId, terms, [admin.userId]),
    );
  });

  test('a refusal by a policy stores neither a request nor a decision', async () => {
    const { tenant, resourceId, admin, requester } = scene();
    await service.handlers.putAccessPolicy(admin, { resourceId, ...terms });
    await expect(ask(requester, resourceId, 61)).rejects.toMatchObject({
      fields: [{ pointer: '/durationMinutes', detail: expect.stringContaining('at most 60') }],
    });
    const kept = await service.deps.database.readTenant(tenant.tenantId, (reader) =>
      reader.selectFrom('evaluations').select('id').execute(),
    );
    expect(kept).toEqual([]);
  });

  test('a policy that changes during a decision does not affect it', async () => {
    const { tenant, resourceId, admin, requester } = scene();
    await service.handlers.putAccessPolicy(admin, { resourceId, ...terms });
    const { decider } = service.deps;
    /** Lists and rules are read after the change. */
    const create = asking({
      snapshot: async (tenantId) => {
        const snapshot = await decider.snapshot(tenantId);
        await service.handlers.putAccessPolicy(admin, { resourceId, ...terms, maxDurationMinutes: 20 });
        return snapshot;
      },
      decide: decider.decide,
    });
    const wanted = { resourceId, reason: 'why', durationMinutes: 30 };
    const { request } = await create(requester, wanted);
    expect((await evaluationOf(tenant, request!.id))?.evaluation).toMatchObject({
      verdict: 'needs_approval',
      ruleSetVersion: '1',
      access: { maxDurationMinutes: 60 },
    });
    // A refusal reports the limits of its own policy, which is the second version here.
    const another = asking({
      snapshot: async (tenantId) => {
        const snapshot = await decider.snapshot(tenantId);
        await service.handlers.putAccessPolicy(admin, { resourceId, ...terms, maxDurationMinutes: 480 });
        return snapshot;
      },
      decide: decider.decide,
    });
    await expect(another(requester, { ...wanted, durationMinutes: 40 })).rejects.toMatchObject({
      fields: [{ pointer: '/durationMinutes', detail: expect.stringContaining('at most 20') }],
    });
  });

  test('a policy name of invisible characters is refused: an unreadable rule would stop every decision', async () => {
    const { resourceId, admin } = scene();
    const steps = [{ ...anyone, name: 'a\u200bb' }];
    await expect(
      service.handlers.putAccessPolicy(admin, { resourceId, ...terms, steps }),
    ).rejects.toMatchObject({ fields: [{ pointer: '/steps/0/name' }] });
  });
});

describe('an evaluator that fails', () => {
  const broken: Record<string, (stages: DecisionStages) => DecisionStages> = {
    throws: (stages) => ({ ...stages, rules: () => Promise.reject(new Error('broken')) }),
    hangs: (stages) => ({ ...stages, rules: () => new Promise(() => {}) }),
    'cannot read its rules': (stages) => ({
      ...stages,
      snapshot: () => Promise.reject(new Error('the database is away')),
    }),
  };

  test.each(Object.entries(broken))('%s: people decide the request', async (_, stages) => {
    const { tenant, resourceId, admin, requester } = scene();
    await service.handlers.putAccessPolicy(admin, { resourceId, ...terms });
    const create = asking(createDecider(service.deps, { stages, deadlineMs: 50 }));
    const { request } = await create(requester, { resourceId, reason: 'why', durationMinutes: 30 });
    expect(request).toMatchObject({ status: 'pending', steps: [{ name: 'approval' }, { name: 'second' }] });
    expect((await evaluationOf(tenant, request!.id))?.evaluation).toMatchObject({
      verdict: 'pending',
      because: 'failed',
      ruleSetVersion: '',
    });
    // The policy's own limits apply in any case.
    const tooLong = create(requester, { resourceId, reason: 'why', durationMinutes: 61 });
    expect(await codeOf(tooLong)).toBe('invalid');
  });

  test('makes the call unavailable if the policies cannot be read either', async () => {
    const { resourceId, requester } = scene();
    const { database } = service.deps;
    let failed = false;
    const decider: Decider = {
      snapshot: service.deps.decider.snapshot,
      decide: (tenantId, facts, snapshot) => {
        failed = true;
        return createDecider(service.deps, { stages: broken.throws! }).decide(tenantId, facts, snapshot);
      },
    };
    const away: typeof database = {
      ...database,
      readTenant: (tenantId, work) =>
        failed
          ? Promise.reject(Object.assign(new Error('gone'), { reason: 'unavailable' }))
          : database.readTenant(tenantId, work),
    };
    const { createRequest: create } = bind(workflow.RequestsService, {
      createRequest: createRequest({ ...service.deps, decider, database: away }),
    });
    await expect(create(requester, { resourceId, reason: 'why', durationMinutes: 30 })).rejects.toMatchObject(
      {
        reason: 'unavailable',
      },
    );
  });

  test('a rule set with a broken rule decides nothing, and gives no access', async () => {
    const { tenant, resourceId, requester } = scene();
    const body = { ...accessRuleOf(resourceId, terms), name: '', priority: -5 };
    await service.deps.database.withTenant(tenant.tenantId, (tx) =>
      changeRuleSet(tx, tenant.tenantId, [{ kind: 'access', objectId: resourceId, body }]),
    );
    const { request } = await ask(requester, resourceId);
    expect(request!.status).toBe('pending');
    expect((await evaluationOf(tenant, request!.id))?.evaluation.because).toBe('failed');
  });

  test('a rule that would give access at once is left to people: a policy cannot do this', async () => {
    const { tenant, resourceId, requester } = scene();
    const body = accessRuleOf(resourceId, { ...terms, steps: [] });
    await service.deps.database.withTenant(tenant.tenantId, (tx) =>
      changeRuleSet(tx, tenant.tenantId, [{ kind: 'access', objectId: resourceId, body }]),
    );
    const { request } = await ask(requester, resourceId);
    expect(request).toMatchObject({ status: 'pending', grantId: '', steps: [{ name: 'approval' }] });
  });
});

describe('nobody decides on their own request', () => {
  const machine = (tenant: Tenant, permissions: readonly string[], maker: Actor): Actor => ({
    ...tenant.user(permissions),
    kind: 'api-token',
    responsibleId: maker.userId,
    behind: [maker.userId],
  });

  test('H-150 a person and their machine identities decide no request of any of them', async () => {
    const { tenant, resourceId } = scene();
    const maker = tenant.user(APPROVER);
    const [robot, other] = [machine(tenant, APPROVER, maker), machine(tenant, APPROVER, maker)];
    const asked = (await ask(maker, resourceId)).request!;
    const byRobot = (await ask(robot, resourceId)).request!;
    const refused: [Actor, string][] = [
      [maker, asked.id],
      [robot, asked.id],
      [maker, byRobot.id],
      [robot, byRobot.id],
      [other, byRobot.id],
    ];
    for (const [actor, requestId] of refused) {
      expect(await codeOf(service.handlers.approveRequest(actor, { requestId }))).toBe('self_approval');
      expect(await codeOf(service.handlers.denyRequest(actor, { requestId, comment: 'no' }))).toBe(
        'self_approval',
      );
    }
    const somebody = tenant.user(APPROVER);
    expect(await codeOf(service.handlers.approveRequest(somebody, { requestId: byRobot.id }))).toBe('ok');
    expect(
      await codeOf(
        service.handlers.approveRequest(machine(tenant, APPROVER, somebody), { requestId: asked.id }),
      ),
    ).toBe('ok');
  });

  test('a person counts once in a quorum, directly or through a machine identity', async () => {
    const { tenant, resourceId, admin, requester } = scene();
    await service.handlers.putAccessPolicy(admin, {
      resourceId,
      ...terms,
      steps: [{ ...anyone, quorum: 2 }],
    });
    const { request } = await ask(requester, resourceId);
    const approver = tenant.user(APPROVER);
    const approve = (actor: Actor) =>
      codeOf(service.handlers.approveRequest(actor, { requestId: request!.id }));
    expect(await approve(approver)).toBe('ok');
    expect(await approve(machine(tenant, APPROVER, approver))).toBe('already_decided');
    expect(await approve(machine(tenant, APPROVER, tenant.user(APPROVER)))).toBe('ok');
  });

  test('the database refuses such decisions, even without the handlers', async () => {
    const { tenant, resourceId } = scene();
    const maker = tenant.user(APPROVER);
    const { request } = await ask(machine(tenant, APPROVER, maker), resourceId);
    const decision = {
      tenant_id: tenant.tenantId,
      request_id: request!.id,
      step: 0,
      user_name: 'x',
      decision: 'approve' as const,
      comment: '',
      duration_minutes: null,
    };
    const other = tenant.user(APPROVER).userId;
    for (const people of [
      { user_id: maker.userId, user_behind: [] },
      { user_id: other, user_behind: [maker.userId] },
    ]) {
      await expect(
        service.deps.database.withTenant(tenant.tenantId, (tx) =>
          tx
            .insertInto('decisions')
            .values({ ...decision, ...people })
            .execute(),
        ),
      ).rejects.toThrow();
    }
  });

  test('a request whose step only the requester and their responsible person could pass is refused', async () => {
    const { tenant, resourceId, admin } = scene();
    const maker = tenant.user(APPROVER);
    await service.handlers.putAccessPolicy(admin, {
      resourceId,
      ...terms,
      steps: [{ ...anyone, approverUserIds: [maker.userId] }],
    });
    expect(await codeOf(ask(machine(tenant, REQUESTER, maker), resourceId))).toBe('nobody_can_approve');
    expect(await codeOf(ask(maker, resourceId))).toBe('nobody_can_approve');
    expect(await codeOf(ask(tenant.user(REQUESTER), resourceId))).toBe('ok');
  });

  test('a machine identity of its user can neither confirm nor review emergency access', async () => {
    const { tenant } = scene();
    const who = tenant.user(['breakglass.activate', 'breakglass.read']);
    const { session } = await service.handlers.activateBreakglass(who, {
      reason: 'the cluster does not start',
      allEntries: true,
    });
    const robot = machine(tenant, ['breakglass.*'], who);
    const sessionId = session!.id;
    expect(await codeOf(service.handlers.confirmBreakglass(robot, { sessionId }))).toBe('self_approval');
    expect(
      await codeOf(service.handlers.confirmBreakglass(tenant.user(['breakglass.*']), { sessionId })),
    ).toBe('ok');
    expect(
      await codeOf(
        service.handlers.reviewBreakglassSession(robot, { sessionId, review: 'it was justified' }),
      ),
    ).toBe('self_approval');
  });
});
