import { randomBytes } from 'node:crypto';
import type { Actor } from '@claviger/service-kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN, APPROVER, codeOf, startWorkflow, type Workflow } from '../../test-support.ts';

let service: Workflow;
beforeAll(async () => {
  service = await startWorkflow();
});
afterAll(() => service?.[Symbol.asyncDispose]());

const digest = () => randomBytes(32).toString('hex');
const GRANT = { requiresGrant: true, requiresReason: false };
const NOTHING = { requiresGrant: false, requiresReason: false };

function scene() {
  const tenant = service.tenant();
  const { resourceId, entryIds } = service.vault.addResource(tenant.tenantId, 'db');
  const owner = tenant.user(['vault.entries.update']);
  const entryId = entryIds[0]!;
  service.vault.beneficiaries.set(entryId, new Set([owner.userId]));
  const fields = {
    entryId,
    entryName: 'root',
    resourceId,
    resourceName: 'db',
    change: { before: GRANT, after: NOTHING },
    changeDigest: digest(),
  };
  const ask = (actor: Actor, more: object = {}) =>
    service.handlers.requestProtectionChange(actor, { ...fields, ...more });
  return { tenant, owner, entryId, resourceId, ask, fields };
}

test('a lower protection takes one request per change, decided by an approver who does not benefit', async () => {
  const { tenant, owner, ask, fields } = scene();
  const approver = tenant.user(APPROVER);
  const asked = await ask(owner);
  expect(asked).toMatchObject({ governed: true, status: 'pending' });
  expect(await ask(owner)).toEqual(asked);
  const { requestId } = asked;
  const { request } = await service.handlers.getRequest(approver, { requestId });
  expect(request).toMatchObject({ kind: 'protection', change: fields.change, requesterId: owner.userId });
  const approved = await service.handlers.approveRequest(approver, { requestId });
  // It gives no access: no grant is created.
  expect(approved.request).toMatchObject({ status: 'approved', grantId: '' });
  expect(await ask(owner)).toMatchObject({ requestId, status: 'approved' });
  // It is not valid for another change, another state of the entry, or another person.
  expect(await ask(owner, { changeDigest: digest() })).toMatchObject({ status: 'pending' });
  expect(await ask(tenant.user([]))).toMatchObject({ status: 'pending' });
  const events = await service.events(requestId);
  expect(events.map((event) => event.action)).toEqual(['request.created', 'request.approved']);
  for (const { details } of events)
    expect(details).toMatchObject({ kind: 'protection', change: fields.change });
});

test('beneficiaries cannot decide: requester, owner, sharer, reader of all secrets, person responsible for a machine identity', async () => {
  const { tenant, owner, entryId, ask } = scene();
  const [sharer, maker, approver] = [tenant.user(APPROVER), tenant.user(APPROVER), tenant.user(APPROVER)];
  const seer = tenant.user([...APPROVER, 'vault.entries.retrieve-any']);
  service.vault.beneficiaries.get(entryId)!.add(sharer.userId);
  const robot: Actor = {
    ...tenant.user(APPROVER),
    kind: 'api-token',
    responsibleId: sharer.userId,
    behind: [sharer.userId],
  };
  const ownerWhoDecides: Actor = { ...owner, permissions: new Set(APPROVER) };
  const asMachine: Actor = {
    ...tenant.user([]),
    kind: 'api-token',
    responsibleId: maker.userId,
    behind: [maker.userId],
  };
  const { requestId } = await ask(asMachine);
  const decide = (actor: Actor) => codeOf(service.handlers.approveRequest(actor, { requestId }));
  expect(await decide(maker)).toBe('self_approval');
  for (const actor of [sharer, seer, robot, ownerWhoDecides, tenant.user(ADMIN)]) {
    expect(await decide(actor)).toBe('would_benefit');
    expect(await codeOf(service.handlers.denyRequest(actor, { requestId }))).toBe('would_benefit');
  }
  expect(await decide(approver)).toBe('ok');
});

test('a request that only beneficiaries could decide is refused at once', async () => {
  const { tenant, owner, entryId, resourceId, ask } = scene();
  const admin = tenant.user(ADMIN);
  expect(await codeOf(ask(owner))).toBe('nobody_can_approve');
  const [named, other] = [tenant.user(APPROVER), tenant.user(APPROVER)];
  await service.handlers.putAccessPolicy(admin, {
    resourceId,
    steps: [{ name: 'owners', quorum: 1, approverUserIds: [named.userId], approverRoles: [] }],
    maxDurationMinutes: 60,
    requestTtlMinutes: 60,
  });
  service.vault.beneficiaries.get(entryId)!.add(named.userId);
  expect(await codeOf(ask(owner))).toBe('nobody_can_approve');
  service.vault.beneficiaries.get(entryId)!.delete(named.userId);
  const { requestId } = await ask(owner);
  expect(await codeOf(service.handlers.approveRequest(other, { requestId }))).toBe('not_eligible');
  expect(await codeOf(service.handlers.approveRequest(named, { requestId }))).toBe('ok');
});

test('a change to which no policy applies needs no request', async () => {
  const { tenant, owner, resourceId, ask } = scene();
  tenant.user(APPROVER);
  const change = { before: { requiresGrant: false, requiresReason: true }, after: NOTHING };
  expect(await ask(owner, { change })).toEqual({ governed: false, requestId: '', status: '' });
  expect(await ask(owner, { change, resourceId: '' })).toMatchObject({ governed: false });
  expect(await ask(owner, { resourceId: '' })).toMatchObject({ governed: true });
  const described = () => service.handlers.describePolicy(owner, { resourceId });
  expect(await described()).toEqual({ customised: false });
  await service.handlers.putAccessPolicy(tenant.user(ADMIN), {
    resourceId,
    steps: [{ name: 'any', quorum: 1, approverUserIds: [], approverRoles: [] }],
    maxDurationMinutes: 60,
    requestTtlMinutes: 60,
  });
  expect(await ask(owner, { change })).toMatchObject({ governed: true, status: 'pending' });
  expect(await described()).toEqual({ customised: true });
});

test('an approval is valid for its duration, a denial is final; without the vault nobody decides', async () => {
  const { tenant, owner, ask } = scene();
  const approver = tenant.user(APPROVER);
  const first = await ask(owner);
  service.vault.away = true;
  expect(await codeOf(service.handlers.approveRequest(approver, { requestId: first.requestId }))).toBe(
    'unavailable',
  );
  expect(await codeOf(ask(owner, { changeDigest: digest() }))).toBe('unavailable');
  service.vault.away = false;
  await service.handlers.approveRequest(approver, { requestId: first.requestId, durationMinutes: 5 });
  await service.scratch.query(
    `SET session_replication_role = replica;
     UPDATE ${service.schema}.requests SET decided_at = decided_at - interval '6 minutes' WHERE id = '${first.requestId}'`,
  );
  const second = await ask(owner);
  expect(second).toMatchObject({ status: 'pending' });
  expect(second.requestId).not.toBe(first.requestId);
  await service.handlers.denyRequest(approver, { requestId: second.requestId });
  expect((await ask(owner)).requestId).not.toBe(second.requestId);
});

test('concurrent calls for the same change get the same request', async () => {
  const { tenant, owner, ask } = scene();
  tenant.user(APPROVER);
  const all = await Promise.all(Array.from({ length: 8 }, () => ask(owner)));
  expect(new Set(all.map((each) => each.requestId)).size).toBe(1);
});
