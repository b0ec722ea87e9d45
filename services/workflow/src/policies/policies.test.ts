import { randomUUID } from 'node:crypto';
import type { Actor } from '@claviger/service-kit';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN, APPROVER, codeOf, REQUESTER, startWorkflow, type Workflow } from '../../test-support.ts';

let service: Workflow;

beforeAll(async () => {
  service = await startWorkflow();
});
afterAll(() => service?.[Symbol.asyncDispose]());

const anyone = { name: 'approval', quorum: 1, approverUserIds: [], approverRoles: [] };
const rules = {
  steps: [anyone],
  maxDurationMinutes: 60,
  requestTtlMinutes: 90,
  oneTime: false,
  rotateOnEnd: true,
};

test('a resource has the default policy until its own is set, even if it has several entries', async () => {
  const tenant = service.tenant();
  const admin = tenant.user(ADMIN);
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db', 3);
  const { policy } = await service.handlers.getAccessPolicy(admin, { resourceId });
  expect(policy).toEqual({
    resourceId,
    steps: [anyone],
    maxDurationMinutes: 480,
    oneTime: true,
    rotateOnEnd: true,
    requestTtlMinutes: 1_440,
    rowVersion: 0,
    customised: false,
  });
  const put = await service.handlers.putAccessPolicy(admin, { resourceId, ...rules });
  expect(put.policy).toEqual({ resourceId, ...rules, rowVersion: 1, customised: true });
  expect((await service.handlers.getAccessPolicy(admin, { resourceId })).policy).toEqual(put.policy);
  expect((await service.events(resourceId)).map((event) => event.action)).toEqual(['access-policy.updated']);
});

test('of two changes of the same version, one is refused', async () => {
  const tenant = service.tenant();
  const admin = tenant.user(ADMIN);
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
  const put = (rowVersion?: number) =>
    codeOf(service.handlers.putAccessPolicy(admin, { resourceId, ...rules, rowVersion }));
  expect(await put(3)).toBe('precondition_failed');
  expect((await Promise.all([put(0), put(0)])).sort()).toEqual(['ok', 'precondition_failed']);
  expect(await put(0)).toBe('precondition_failed');
  expect((await Promise.all([put(1), put(1), put(1)])).sort()).toEqual([
    'ok',
    'precondition_failed',
    'precondition_failed',
  ]);
  expect(await put()).toBe('ok');
});

test('a request keeps the policy of its creation', async () => {
  const tenant = service.tenant();
  const admin = tenant.user(ADMIN);
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
  const requester = tenant.user(REQUESTER);
  const { request } = await service.handlers.createRequest(requester, {
    resourceId,
    reason: 'why',
    durationMinutes: 300,
  });
  await service.handlers.putAccessPolicy(admin, { resourceId, ...rules, steps: [{ ...anyone, quorum: 5 }] });
  const { request: approved } = await service.handlers.approveRequest(admin, { requestId: request!.id });
  const { grant } = await service.handlers.getGrant(requester, { grantId: approved!.grantId });
  expect(grant).toMatchObject({ oneTime: true });
  expect(Date.parse(grant!.expiresAt!) - Date.parse(grant!.startsAt!)).toBe(300 * 60_000);
});

test('a policy that can never be passed is refused, naming the field', async () => {
  const tenant = service.tenant();
  const admin = tenant.user(ADMIN);
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
  const stranger = service.tenant().user([]).userId;
  const put = async (step: object): Promise<string> => {
    const steps = [anyone, { ...anyone, ...step }];
    const error = await service.handlers
      .putAccessPolicy(admin, { resourceId, ...rules, steps })
      .catch((thrown) => thrown);
    return error.fields?.[0]?.pointer ?? 'ok';
  };
  expect(await put({ quorum: 0 })).toBe('/steps/1/quorum');
  expect(await put({ approverUserIds: ['x'] })).toBe('/steps/1/approverUserIds/0');
  expect(await put({ approverUserIds: [admin.userId, stranger] })).toBe('/steps/1/approverUserIds/1');
  expect(await put({ approverUserIds: [admin.userId, admin.userId], quorum: 2 })).toBe('/steps/1/quorum');
  expect(await put({ approverUserIds: [admin.userId], approverRoles: ['security'], quorum: 2 })).toBe('ok');
  expect(await codeOf(service.handlers.putAccessPolicy(admin, { resourceId, ...rules, steps: [] }))).toBe(
    'invalid',
  );
});

test('a disabled or deleted approver is refused, and so is a request that only such users could approve', async () => {
  const tenant = service.tenant();
  const [admin, requester, chief, deputy] = [ADMIN, REQUESTER, APPROVER, APPROVER].map((each) =>
    tenant.user(each),
  ) as [Actor, Actor, Actor, Actor];
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
  const steps = [{ ...anyone, approverUserIds: [chief.userId, deputy.userId] }];
  const put = () => codeOf(service.handlers.putAccessPolicy(admin, { resourceId, ...rules, steps }));
  const ask = (actor: Actor) =>
    codeOf(service.handlers.createRequest(actor, { resourceId, reason: 'why', durationMinutes: 5 }));
  expect(await put()).toBe('ok');
  expect(await ask(requester)).toBe('ok');
  tenant.setStatus(chief.userId, 'deleted');
  expect(await put()).toBe('invalid');
  expect(await ask(tenant.user(REQUESTER))).toBe('ok');
  // Nobody approves their own request, so the deputy cannot request access.
  expect(await ask(deputy)).toBe('nobody_can_approve');
  tenant.setStatus(deputy.userId, 'disabled');
  expect(await put()).toBe('invalid');
  expect(await ask(tenant.user(REQUESTER))).toBe('nobody_can_approve');
});

test('the policy of a resource of another tenant is not found, like an unknown one', async () => {
  const { resourceId } = service.vault.addResource(service.tenant().tenantId, 'db');
  const admin = service.tenant().user(ADMIN);
  for (const id of [resourceId, randomUUID(), 'x']) {
    expect(await codeOf(service.handlers.getAccessPolicy(admin, { resourceId: id }))).toBe('not_found');
    expect(await codeOf(service.handlers.putAccessPolicy(admin, { resourceId: id, ...rules }))).toBe(
      'not_found',
    );
  }
});

test('an owner or sharer can lower a policy only with an approval, which is used once; raising needs none', async () => {
  const tenant = service.tenant();
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
  const [owner, other] = [tenant.user(ADMIN), tenant.user(ADMIN)];
  const [first, second, third] = [tenant.user(APPROVER), tenant.user(APPROVER), tenant.user(APPROVER)];
  const gaining = new Set([owner.userId]);
  service.vault.beneficiaries.set(resourceId, gaining);
  const machine: Actor = {
    ...tenant.user(ADMIN),
    kind: 'api-token',
    responsibleId: owner.userId,
    behind: [owner.userId],
  };
  const step = (quorum: number, ...approvers: Actor[]) => ({
    name: 'approval',
    quorum,
    approverUserIds: approvers.map((each) => each.userId),
    approverRoles: [],
  });
  type Step = ReturnType<typeof step>;
  const putPolicy = (actor: Actor, ...steps: Step[]) =>
    service.handlers.putAccessPolicy(actor, { resourceId, ...rules, steps });
  const put = (actor: Actor, ...steps: Step[]) => codeOf(putPolicy(actor, ...steps));
  /** The id of the request that the refusal names. */
  const asked = async (actor: Actor, ...steps: Step[]): Promise<string> => {
    const error = await putPolicy(actor, ...steps).catch((error: unknown) => error);
    expect(error).toMatchObject({ reason: 'conflict', code: 'approval_required' });
    return (error as { approvalRequestId: string }).approvalRequestId;
  };
  const approve = (actor: Actor, requestId: string) =>
    codeOf(service.handlers.approveRequest(actor, { requestId }));
  const both = step(2, first, second);
  const lower = step(1, first, second);
  expect(await put(owner, both)).toBe('ok');

  const requestId = await asked(owner, lower);
  expect(await asked(owner, lower)).toBe(requestId);
  const others = [
    await asked(machine, lower),
    await asked(owner, step(2, first, second, third)),
    await asked(owner, step(2)),
  ];
  expect(new Set([requestId, ...others]).size).toBe(4);
  const { request } = await service.handlers.getRequest(first, { requestId });
  expect(request).toMatchObject({
    kind: 'policy',
    status: 'pending',
    entryId: '',
    resourceId,
    resourceName: 'db',
    change: undefined,
    policyChange: { before: { ...rules, steps: [both] }, after: { ...rules, steps: [lower] } },
  });

  // Only an approver of the current policy can approve, and no beneficiary.
  expect(await approve(owner, requestId)).toBe('self_approval');
  for (const actor of [machine, other]) expect(await approve(actor, requestId)).not.toBe('ok');
  expect(await approve(third, requestId)).toBe('not_eligible');
  gaining.add(first.userId);
  expect(await approve(first, requestId)).toBe('would_benefit');
  gaining.delete(first.userId);
  for (const actor of [first, second]) {
    expect((await service.handlers.getAccessPolicy(other, { resourceId })).policy!.steps).toEqual([both]);
    expect(await approve(actor, requestId)).toBe('ok');
  }
  // The approval is for this change by its requester, and is used once, even by concurrent calls.
  expect(await asked(owner, step(2))).toBe(others[2]);
  expect(await asked(machine, lower)).toBe(others[0]);
  const codes = await Promise.all([put(owner, lower), put(owner, lower)]);
  expect(codes.filter((code) => code === 'ok')).not.toEqual([]);
  expect((await service.handlers.getAccessPolicy(other, { resourceId })).policy).toMatchObject({
    steps: [lower],
    rowVersion: 2 + (codes[0] === codes[1] ? 1 : 0),
  });
  expect(
    (await service.events(resourceId)).filter((event) => event.action === 'access-policy.updated'),
  ).toContainEqual(expect.objectContaining({ details: expect.objectContaining({ approvedBy: requestId }) }));
  expect(await put(owner, both)).toBe('ok');
  expect(await asked(owner, lower)).not.toBe(requestId);
  expect(await put(other, step(1))).toBe('ok');
});

test('an approval to lower a policy ends with a change of the policy, and a request without approvers is refused', async () => {
  const tenant = service.tenant();
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
  const [owner, other, approver] = [tenant.user(ADMIN), tenant.user(ADMIN), tenant.user(APPROVER)];
  service.vault.beneficiaries.set(resourceId, new Set([owner.userId]));
  const policy = (quorum: number, minutes = 60) => ({
    resourceId,
    ...rules,
    maxDurationMinutes: minutes,
    steps: [
      {
        ...anyone,
        approverUserIds: quorum === 2 ? [approver.userId] : [],
        approverRoles: quorum === 2 ? ['x'] : [],
      },
    ],
  });
  const put = (actor: Actor, ...of: Parameters<typeof policy>) =>
    service.handlers.putAccessPolicy(actor, policy(...of));
  await put(owner, 2);
  const error = (await put(owner, 1).catch((error: unknown) => error)) as { approvalRequestId: string };
  const requestId = error.approvalRequestId;
  await service.handlers.approveRequest(approver, { requestId });
  await put(other, 2, 30);
  expect(await codeOf(put(owner, 1))).toBe('approval_required');
  await put(other, 2);
  expect(await codeOf(put(owner, 1))).toBe('approval_required');
  service.vault.beneficiaries.get(resourceId)!.add(approver.userId);
  expect(await codeOf(put(owner, 1, 45))).toBe('nobody_can_approve');
});

test('an approval to lower a policy ends with a restore of the database', async () => {
  const tenant = service.tenant();
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
  const [owner, approver] = [tenant.user(ADMIN), tenant.user(APPROVER)];
  service.vault.beneficiaries.set(resourceId, new Set([owner.userId]));
  const put = (quorum: number) =>
    service.handlers.putAccessPolicy(owner, {
      resourceId,
      ...rules,
      steps: [
        {
          ...anyone,
          approverRoles: quorum === 2 ? ['x'] : [],
          approverUserIds: quorum === 2 ? [approver.userId] : [],
        },
      ],
    });
  await put(2);
  const error = (await put(1).catch((error: unknown) => error)) as { approvalRequestId: string };
  await service.handlers.approveRequest(approver, { requestId: error.approvalRequestId });
  await service.deps.database.system((tx) => sql`SELECT finish_restore(1)`.execute(tx));
  const after = (await put(1).catch((error: unknown) => error)) as { approvalRequestId: string };
  expect(after).toMatchObject({ code: 'approval_required' });
  expect(after.approvalRequestId).not.toBe(error.approvalRequestId);
});
