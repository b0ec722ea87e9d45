import { randomUUID } from 'node:crypto';
import type { Actor } from '@claviger/service-kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ADMIN,
  APPROVER,
  codeOf,
  REQUESTER,
  startWorkflow,
  type Tenant,
  type Workflow,
} from '../../test-support.ts';

let service: Workflow;

beforeAll(async () => {
  service = await startWorkflow();
});
afterAll(() => service?.[Symbol.asyncDispose]());

async function ask(tenant: Tenant, requester: Actor, name = 'db') {
  const { resourceId } = service.vault.addResource(tenant.tenantId, name);
  const { request } = await service.handlers.createRequest(requester, {
    resourceId,
    reason: 'change 4711',
    durationMinutes: 30,
  });
  return request!;
}

test('a request contains its terms, policy and digest, and writes an event', async () => {
  const tenant = service.tenant();
  const requester = tenant.user(REQUESTER);
  const request = await ask(tenant, requester, 'payroll');
  expect(request).toMatchObject({
    kind: 'access',
    status: 'pending',
    requesterId: requester.userId,
    requesterName: requester.userName,
    resourceName: 'payroll',
    reason: 'change 4711',
    durationMinutes: 30,
    steps: [{ name: 'approval', quorum: 1, approvals: 0, state: 'open' }],
    decisions: [],
    grantId: '',
  });
  expect(request.digest).toMatch(/^[0-9a-f]{64}$/);
  expect(Date.parse(request.expiresAt!) - Date.parse(request.createdAt!)).toBe(24 * 3_600_000);
  const { request: read } = await service.handlers.getRequest(requester, { requestId: request.id });
  expect(read).toEqual(request);
  expect((await service.events(request.id)).map((event) => event.action)).toEqual(['request.created']);
});

test('a request needs a subject, a reason and a duration within the policy', async () => {
  const tenant = service.tenant();
  const requester = tenant.user(REQUESTER);
  const { resourceId, entryIds } = service.vault.addResource(tenant.tenantId, 'db', 2);
  const fields = { reason: 'why', durationMinutes: 30 };
  const attempt = (more: object) => codeOf(service.handlers.createRequest(requester, { ...fields, ...more }));
  expect(await attempt({})).toBe('invalid');
  expect(await attempt({ resourceId, entryId: entryIds[0]! })).toBe('invalid');
  expect(await attempt({ resourceId })).toBe('invalid');
  expect(await attempt({ entryId: entryIds[0]!, reason: '   ' })).toBe('invalid');
  expect(await attempt({ entryId: randomUUID() })).toBe('not_found');
  expect(await attempt({ entryId: 'no-id' })).toBe('not_found');
  await expect(
    service.handlers.createRequest(requester, { ...fields, entryId: entryIds[0]!, durationMinutes: 481 }),
  ).rejects.toMatchObject({ reason: 'invalid', fields: [{ pointer: '/durationMinutes' }] });
  expect(await attempt({ entryId: entryIds[1]! })).toBe('ok');
});

test('the same request cannot be pending twice, even with concurrent calls', async () => {
  const tenant = service.tenant();
  const requester = tenant.user(REQUESTER);
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
  const fields = { resourceId, reason: 'why', durationMinutes: 30 };
  const codes = await Promise.all(
    Array.from({ length: 5 }, () => codeOf(service.handlers.createRequest(requester, fields))),
  );
  expect(codes.sort()).toEqual([...Array(4).fill('already_pending'), 'ok']);
  expect(await codeOf(service.handlers.createRequest(requester, { ...fields, durationMinutes: 20 }))).toBe(
    'ok',
  );
  expect(await codeOf(service.handlers.createRequest(tenant.user(REQUESTER), fields))).toBe('ok');
  const { items } = await service.handlers.listRequests(requester, {});
  const first = items.find((each) => each.durationMinutes === 30)!;
  // An expired request does not block a new one, before or after the sweep.
  await service.age('requests', first.id, 24 * 60 + 1);
  expect(await codeOf(service.handlers.createRequest(requester, fields))).toBe('ok');
  expect((await service.events(first.id)).map((event) => event.action)).toContain('request.expired');
});

test('H-150 nobody decides their own request, whatever their permissions, and with an API token as well', async () => {
  const tenant = service.tenant();
  const admin = tenant.user(ADMIN);
  const byToken: Actor = { ...admin, kind: 'api-token', sessionId: randomUUID() };
  // One request that everybody may decide, and one whose approvers include the requester.
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'ours');
  const approverUserIds = [admin.userId, tenant.user(APPROVER).userId];
  await service.handlers.putAccessPolicy(admin, {
    resourceId,
    steps: [{ name: 'owners', quorum: 1, approverUserIds, approverRoles: [] }],
    maxDurationMinutes: 60,
    requestTtlMinutes: 60,
  });
  const { request } = await service.handlers.createRequest(admin, {
    resourceId,
    reason: 'why',
    durationMinutes: 30,
  });
  for (const requestId of [(await ask(tenant, admin)).id, request!.id]) {
    for (const actor of [admin, byToken]) {
      await expect(service.handlers.approveRequest(actor, { requestId })).rejects.toMatchObject({
        reason: 'denied',
        code: 'self_approval',
      });
      expect(await codeOf(service.handlers.denyRequest(actor, { requestId }))).toBe('self_approval');
    }
  }
});

test('H-152 a settled request does not change', async () => {
  const tenant = service.tenant();
  const approver = tenant.user(APPROVER);
  const settle = {
    cancelled: (requestId: string, requester: Actor) =>
      service.handlers.cancelRequest(requester, { requestId }),
    denied: (requestId: string) => service.handlers.denyRequest(approver, { requestId, comment: 'no' }),
    approved: (requestId: string) => service.handlers.approveRequest(approver, { requestId }),
    expired: (requestId: string) => service.age('requests', requestId, 24 * 60 + 1),
  };
  for (const [status, how] of Object.entries(settle)) {
    const requester = tenant.user(REQUESTER);
    const { id: requestId } = await ask(tenant, requester);
    await how(requestId, requester);
    const other = tenant.user(APPROVER);
    expect(await codeOf(service.handlers.approveRequest(other, { requestId }))).toBe('wrong_status');
    expect(await codeOf(service.handlers.denyRequest(other, { requestId }))).toBe('wrong_status');
    expect(await codeOf(service.handlers.cancelRequest(requester, { requestId }))).toBe('wrong_status');
    const { request } = await service.handlers.getRequest(requester, { requestId });
    expect(request).toMatchObject({ status });
    expect(request!.decidedAt).toBeDefined();
  }
});

test('H-156 an approval is bound to what the approver saw', async () => {
  const tenant = service.tenant();
  const { id: requestId, digest } = await ask(tenant, tenant.user(REQUESTER));
  const { digest: ofAnother } = await ask(tenant, tenant.user(REQUESTER), 'payroll');
  const approver = tenant.user(APPROVER);
  for (const seen of ['f'.repeat(64), ofAnother]) {
    await expect(
      service.handlers.approveRequest(approver, { requestId, digest: seen }),
    ).rejects.toMatchObject({ reason: 'conflict', code: 'digest_mismatch' });
  }
  // The content that the approver saw cannot be edited.
  const edit = `UPDATE ${service.schema}.requests SET duration_minutes = 480 WHERE id = $1`;
  await expect(service.scratch.query(edit, [requestId])).rejects.toThrow(/never changes/);
  expect(await codeOf(service.handlers.approveRequest(approver, { requestId, digest }))).toBe('ok');
});

test('approvers can shorten but not lengthen: the shortest duration counts', async () => {
  const tenant = service.tenant();
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
  const steps = [{ name: 'both', quorum: 2, approverUserIds: [], approverRoles: [] }];
  await service.handlers.putAccessPolicy(tenant.user(ADMIN), {
    resourceId,
    steps,
    maxDurationMinutes: 60,
    requestTtlMinutes: 60,
  });
  const requester = tenant.user(REQUESTER);
  const { request } = await service.handlers.createRequest(requester, {
    resourceId,
    reason: 'why',
    durationMinutes: 30,
  });
  const requestId = request!.id;
  const longer = service.handlers.approveRequest(tenant.user(APPROVER), { requestId, durationMinutes: 31 });
  await expect(longer).rejects.toMatchObject({
    reason: 'invalid',
    fields: [{ pointer: '/durationMinutes' }],
  });
  await service.handlers.approveRequest(tenant.user(APPROVER), { requestId, durationMinutes: 10 });
  const last = await service.handlers.approveRequest(tenant.user(APPROVER), {
    requestId,
    durationMinutes: 20,
  });
  expect(last.request).toMatchObject({ status: 'approved', approvedDurationMinutes: 10 });
  const { grant } = await service.handlers.getGrant(requester, { grantId: last.request!.grantId });
  expect(Date.parse(grant!.expiresAt!) - Date.parse(grant!.startsAt!)).toBe(10 * 60_000);
});

test('H-158 steps are passed in order, each by its own approvers, and one denial ends the request', async () => {
  const tenant = service.tenant();
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
  const owner = tenant.user(APPROVER);
  const security = tenant.user(APPROVER, ['security']);
  await service.handlers.putAccessPolicy(tenant.user(ADMIN), {
    resourceId,
    steps: [
      { name: 'owner', quorum: 1, approverUserIds: [owner.userId], approverRoles: [] },
      { name: 'security', quorum: 1, approverUserIds: [], approverRoles: ['security'] },
    ],
    maxDurationMinutes: 60,
    requestTtlMinutes: 60,
  });
  const decidable = async (actor: Actor) =>
    (await service.handlers.listRequests(actor, { decidable: true })).items.map((each) => each.id);
  for (const last of ['approve', 'deny'] as const) {
    const { request } = await service.handlers.createRequest(tenant.user(REQUESTER), {
      resourceId,
      reason: 'why',
      durationMinutes: 30,
    });
    const requestId = request!.id;
    expect(await decidable(owner)).toEqual([requestId]);
    expect(await decidable(security)).toEqual([]);
    expect(await codeOf(service.handlers.approveRequest(security, { requestId }))).toBe('not_eligible');
    expect(await codeOf(service.handlers.denyRequest(security, { requestId }))).toBe('not_eligible');
    const half = await service.handlers.approveRequest(owner, { requestId });
    expect(half.request!.steps.map((step) => step.state)).toEqual(['done', 'open']);
    expect(half.request).toMatchObject({ status: 'pending', grantId: '' });
    expect(await decidable(owner)).toEqual([]);
    expect(await decidable(security)).toEqual([requestId]);
    expect(await codeOf(service.handlers.approveRequest(tenant.user(APPROVER), { requestId }))).toBe(
      'not_eligible',
    );
    const settled =
      last === 'approve'
        ? await service.handlers.approveRequest(security, { requestId })
        : await service.handlers.denyRequest(security, { requestId });
    expect(settled.request!.status).toBe(last === 'approve' ? 'approved' : 'denied');
    expect(settled.request!.grantId !== '').toBe(last === 'approve');
    expect(await decidable(security)).toEqual([]);
  }
});

test('H-158 users see and cancel their own requests; deciders see all of the tenant, and nobody sees those of another tenant', async () => {
  const tenant = service.tenant();
  const other = service.tenant();
  const [requester, colleague] = [tenant.user(REQUESTER), tenant.user(REQUESTER)];
  const { id: requestId } = await ask(tenant, requester);
  await ask(tenant, colleague);
  const total = async (actor: Actor) => (await service.handlers.listRequests(actor, {})).totalItems;
  expect(await total(requester)).toBe(1);
  expect(await total(tenant.user(APPROVER))).toBe(2);
  expect(await total(tenant.user(['requests.read', 'requests.read-all']))).toBe(2);
  expect(await total(other.user(ADMIN))).toBe(0);
  expect(await codeOf(service.handlers.getRequest(colleague, { requestId }))).toBe('not_found');
  expect(await codeOf(service.handlers.cancelRequest(colleague, { requestId }))).toBe('not_found');
  expect(await codeOf(service.handlers.cancelRequest(tenant.user(APPROVER), { requestId }))).toBe(
    'not_requester',
  );
  const foreign = other.user(ADMIN);
  const calls = ['getRequest', 'approveRequest', 'denyRequest', 'cancelRequest'] as const;
  for (const name of calls) {
    const answers = await Promise.all(
      [requestId, randomUUID(), 'x'].map((id) =>
        service.handlers[name](foreign, { requestId: id }).catch(String),
      ),
    );
    expect(new Set(answers).size).toBe(1);
    expect(await codeOf(service.handlers[name](foreign, { requestId }))).toBe('not_found');
  }
  expect((await service.handlers.getRequest(requester, { requestId })).request!.status).toBe('pending');
});

test('filters agree with the status shown', async () => {
  const tenant = service.tenant();
  const requester = tenant.user(REQUESTER);
  const approver = tenant.user(APPROVER);
  const [lapsed, waiting, denied] = [
    await ask(tenant, requester, 'one 100%'),
    await ask(tenant, requester, 'two'),
    await ask(tenant, requester, 'three'),
  ];
  await service.age('requests', lapsed.id, 24 * 60 + 1);
  await service.handlers.denyRequest(approver, { requestId: denied.id });
  const ids = async (filter: object) =>
    (await service.handlers.listRequests(approver, filter)).items.map((each) => each.id);
  expect(await ids({ status: 'pending' })).toEqual([waiting.id]);
  expect(await ids({ status: 'expired' })).toEqual([lapsed.id]);
  expect(await ids({ status: 'denied' })).toEqual([denied.id]);
  await service.sweep();
  expect(await ids({ status: 'expired' })).toEqual([lapsed.id]);
  expect((await service.events(lapsed.id)).map((event) => event.action)).toEqual([
    'request.created',
    'request.expired',
  ]);
  expect(await ids({ search: '100%' })).toEqual([lapsed.id]);
  expect(await ids({ search: '%' })).toEqual([lapsed.id]);
  expect(await ids({ search: 'two' })).toEqual([waiting.id]);
  expect(await ids({ resourceId: waiting.resourceId })).toEqual([waiting.id]);
  expect(await ids({ resourceId: 'abc' })).toEqual([]);
  expect(await ids({ userId: approver.userId })).toEqual([]);
  // Two dates if midnight passed in between.
  const [from, to] = [waiting.createdAt!.slice(0, 10), denied.createdAt!.slice(0, 10)];
  expect(await ids({ from, to })).toEqual([denied.id, waiting.id]);
  expect(await ids({ from: waiting.createdAt!, to: waiting.createdAt! })).toContain(waiting.id);
  expect(await ids({ to: '2001-01-01' })).toEqual([]);
  expect(
    await codeOf(service.handlers.listRequests(approver, { from: '2026-02-02', to: '2026-02-01' })),
  ).toBe('invalid');
  expect(await codeOf(service.handlers.listRequests(approver, { from: '2026-02-30' }))).toBe('invalid');
  expect(await codeOf(service.handlers.listRequests(approver, { sortBy: 'digest' }))).toBe('invalid');
  expect(await codeOf(service.handlers.listRequests(approver, { sortBy: '__proto__' }))).toBe('invalid');
});

test('pages and cursors return each request once', async () => {
  const tenant = service.tenant();
  const requester = tenant.user(REQUESTER);
  for (let index = 0; index < 7; index++) await ask(tenant, requester, `r${index}`);
  for (const sortBy of ['', 'createdAt', 'expiresAt', 'requesterName', 'resourceName']) {
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await service.handlers.listRequests(requester, { pageSize: 2, sortBy, cursor });
      seen.push(...page.items.map((each) => each.id));
      cursor = page.nextCursor ?? '';
    } while (cursor);
    expect(new Set(seen).size).toBe(7);
  }
  const last = await service.handlers.listRequests(requester, {
    pageSize: 2,
    page: 4,
    sortBy: 'resourceName',
  });
  expect(last).toMatchObject({ totalItems: 7, totalPages: 4, items: [{ resourceName: 'r6' }] });
});

test('the database refuses every transition that the rules forbid', async () => {
  const tenant = service.tenant();
  const { id, requesterId } = await ask(tenant, tenant.user(REQUESTER));
  const { database } = service.deps;
  const decision = {
    tenant_id: tenant.tenantId,
    request_id: id,
    step: 0,
    user_name: 'x',
    decision: 'approve' as const,
    comment: '',
  };
  const insert = (userId: string) =>
    database.withTenant(tenant.tenantId, (tx) =>
      tx
        .insertInto('decisions')
        .values({ ...decision, user_id: userId })
        .execute(),
    );
  await expect(insert(requesterId)).rejects.toThrow(/their own request/);
  await insert(randomUUID());
  await service.handlers.denyRequest(tenant.user(APPROVER), { requestId: id });
  await expect(insert(randomUUID())).rejects.toThrow(/does not wait/);
  await expect(
    database.withTenant(tenant.tenantId, (tx) =>
      tx.updateTable('requests').set({ status: 'approved' }).where('id', '=', id).execute(),
    ),
  ).rejects.toThrow(/is final/);
  await expect(
    database.withTenant(tenant.tenantId, (tx) => tx.deleteFrom('decisions').execute()),
  ).rejects.toThrow(/permission denied/);
});

test('requests of a machine identity, or decided by it, are not offered to its responsible person', async () => {
  const tenant = service.tenant();
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
  const maker = tenant.user(APPROVER);
  const machineOf = (permissions: string[]) => ({
    ...tenant.user(permissions),
    responsibleId: maker.userId,
    behind: [maker.userId],
  });
  await service.handlers.putAccessPolicy(tenant.user(ADMIN), {
    resourceId,
    steps: [{ name: 'two', quorum: 2, approverUserIds: [], approverRoles: [] }],
    maxDurationMinutes: 60,
    requestTtlMinutes: 60,
  });
  const ask = async (actor: Actor) =>
    (await service.handlers.createRequest(actor, { resourceId, reason: 'why', durationMinutes: 30 })).request!
      .id;
  const decidable = async (actor: Actor) =>
    (await service.handlers.listRequests(actor, { decidable: true })).items.map((each) => each.id);
  const ofMachine = await ask(machineOf(REQUESTER));
  const ofAnother = await ask(tenant.user(REQUESTER));
  expect(await decidable(maker)).toEqual([ofAnother]);
  expect(await decidable(machineOf(APPROVER))).toEqual([ofAnother]);
  expect((await decidable(tenant.user(APPROVER))).sort()).toEqual([ofMachine, ofAnother].sort());
  await service.handlers.approveRequest(machineOf(APPROVER), { requestId: ofAnother });
  expect(await decidable(maker)).toEqual([]);
});
