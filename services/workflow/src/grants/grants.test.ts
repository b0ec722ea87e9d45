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

interface Granted {
  grantId: string;
  requestId: string;
  resourceId: string;
}

async function grantTo(tenant: Tenant, requester: Actor, name = 'db'): Promise<Granted> {
  const { resourceId } = service.vault.addResource(tenant.tenantId, name);
  const { request } = await service.handlers.createRequest(requester, {
    resourceId,
    reason: 'change 4711',
    durationMinutes: 30,
  });
  const requestId = request!.id;
  const { request: approved } = await service.handlers.approveRequest(tenant.user(APPROVER), { requestId });
  return { grantId: approved!.grantId, requestId, resourceId };
}

const statusOf = async (actor: Actor, grantId: string) =>
  (await service.handlers.getGrant(actor, { grantId })).grant!.status;

/** Makes the next attempt of the due queue due. */
const makeDue = (grantId: string) =>
  service.scratch.query(
    `UPDATE ${service.schema}.grants SET next_sync_at = now() WHERE id = $1 AND next_sync_at IS NOT NULL`,
    [grantId],
  );

test('an approved request becomes a grant with an entitlement in the vault, until its end', async () => {
  const tenant = service.tenant();
  const requester = tenant.user(REQUESTER);
  const { grantId, requestId } = await grantTo(tenant, requester, 'payroll');
  const { grant } = await service.handlers.getGrant(requester, { grantId });
  expect(grant).toMatchObject({
    requestId,
    userId: requester.userId,
    status: 'active',
    oneTime: true,
    rotateOnEnd: true,
    resourceName: 'payroll',
    moduleType: 'ssh',
  });
  const placed = service.vault.entitlements.get(grantId);
  expect(placed).toMatchObject({
    tenantId: tenant.tenantId,
    userId: requester.userId,
    expiresAt: grant!.expiresAt,
  });
  expect((await service.events(grantId)).map((event) => event.action)).toEqual(['grant.created']);
});

test('an approval is final while the vault is unavailable, and the grant becomes active when it is back', async () => {
  const tenant = service.tenant();
  const requester = tenant.user(REQUESTER);
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
  const { request } = await service.handlers.createRequest(requester, {
    resourceId,
    reason: 'why',
    durationMinutes: 30,
  });
  service.vault.away = true;
  const approved = await service.handlers.approveRequest(tenant.user(APPROVER), { requestId: request!.id });
  const grantId = approved.request!.grantId;
  expect(await statusOf(requester, grantId)).toBe('activating');
  expect(await codeOf(service.handlers.getGrantCredentials(requester, { grantId }))).toBe('wrong_status');
  await makeDue(grantId);
  await service.sweep();
  expect(await statusOf(requester, grantId)).toBe('activating');
  service.vault.away = false;
  await makeDue(grantId);
  await service.sweep();
  expect(await statusOf(requester, grantId)).toBe('active');
  expect(service.vault.entitlements.has(grantId)).toBe(true);
});

test('credentials are delivered to the grantee once, even with concurrent calls', async () => {
  const tenant = service.tenant();
  const requester = tenant.user(REQUESTER);
  const { grantId } = await grantTo(tenant, requester);
  const answers = await Promise.allSettled(
    Array.from({ length: 50 }, () => service.handlers.getGrantCredentials(requester, { grantId })),
  );
  const given = answers.filter((answer) => answer.status === 'fulfilled');
  expect(given).toHaveLength(1);
  expect(given[0]!.value).toMatchObject({
    grantId,
    secret: 'a secret of the vault',
    username: 'root',
    version: 3,
  });
  const refused = answers.filter((answer) => answer.status === 'rejected');
  expect(new Set(refused.map((answer) => answer.reason.code))).toEqual(new Set(['already_delivered']));
  const { grant } = await service.handlers.getGrant(requester, { grantId });
  expect(grant!.credentialsDeliveredAt).toBeDefined();
  const events = await service.events(grantId);
  expect(events.map((event) => event.action)).toEqual(['grant.created', 'grant.credentials-requested']);
  expect(JSON.stringify(events)).not.toContain('a secret of the vault');
});

test('H-175 credentials go only to the grantee: a colleague gets not found, a reader of all grants is refused', async () => {
  const tenant = service.tenant();
  const { grantId } = await grantTo(tenant, tenant.user(REQUESTER));
  const ask = (actor: Actor) => codeOf(service.handlers.getGrantCredentials(actor, { grantId }));
  expect(await ask(tenant.user(REQUESTER))).toBe('not_found');
  expect(await ask(tenant.user(ADMIN))).toBe('not_grantee');
  expect(await ask(service.tenant().user(ADMIN))).toBe('not_found');
  expect(service.vault.entitlements.get(grantId)!.delivered).toBe(0);
});

test('credentials are returned even if the grant cannot be marked as delivered', async () => {
  const tenant = service.tenant();
  const requester = tenant.user(REQUESTER);
  const { grantId } = await grantTo(tenant, requester);
  const outbox = `${service.schema}.outbox`;
  service.vault.whileDelivering = async () => {
    await service.scratch.query(`ALTER TABLE ${outbox} ADD CONSTRAINT broken CHECK (false) NOT VALID`);
  };
  try {
    const answer = await service.handlers.getGrantCredentials(requester, { grantId });
    expect(answer.secret).toBe('a secret of the vault');
  } finally {
    service.vault.whileDelivering = async () => {};
    await service.scratch.query(`ALTER TABLE ${outbox} DROP CONSTRAINT broken`);
  }
  expect(await codeOf(service.handlers.getGrantCredentials(requester, { grantId }))).toBe(
    'already_delivered',
  );
});

test('revoking removes the entitlement before it answers, and ends a grant once', async () => {
  const tenant = service.tenant();
  const requester = tenant.user(REQUESTER);
  const admin = tenant.user(ADMIN);
  const { grantId } = await grantTo(tenant, requester);
  const codes = await Promise.all(
    Array.from({ length: 10 }, () =>
      service.handlers.revokeGrant(admin, { grantId, reason: 'incident' }).then(
        () => service.vault.entitlements.get(grantId)!.removed,
        (error: { code: string }) => error.code,
      ),
    ),
  );
  expect(codes).toContain('revoked');
  expect(codes.every((code) => code === 'revoked' || code === 'wrong_status')).toBe(true);
  const { grant } = await service.handlers.getGrant(requester, { grantId });
  expect(grant).toMatchObject({ status: 'revoked', revokedBy: admin.userId, revokeReason: 'incident' });
  expect(await codeOf(service.handlers.revokeGrant(admin, { grantId }))).toBe('wrong_status');
  expect(await codeOf(service.handlers.getGrantCredentials(requester, { grantId }))).toBe('wrong_status');
});

test('a grant is revoked while the vault is unavailable, and calling again completes it', async () => {
  const tenant = service.tenant();
  const requester = tenant.user(REQUESTER);
  const { grantId } = await grantTo(tenant, requester);
  service.vault.away = true;
  await expect(service.handlers.revokeGrant(requester, { grantId })).rejects.toMatchObject({
    reason: 'unavailable',
    code: 'revocation_pending',
  });
  expect(await statusOf(requester, grantId)).toBe('revoked');
  expect(await codeOf(service.handlers.getGrantCredentials(requester, { grantId }))).toBe('wrong_status');
  service.vault.away = false;
  await service.handlers.revokeGrant(requester, { grantId });
  expect(service.vault.entitlements.get(grantId)!.removed).toBe('revoked');
  expect(await codeOf(service.handlers.revokeGrant(requester, { grantId }))).toBe('wrong_status');
});

test('the due queue removes an entitlement if the revoking call is not repeated', async () => {
  const tenant = service.tenant();
  const requester = tenant.user(REQUESTER);
  const { grantId } = await grantTo(tenant, requester);
  service.vault.away = true;
  await codeOf(service.handlers.revokeGrant(requester, { grantId }));
  service.vault.away = false;
  await makeDue(grantId);
  await service.sweep();
  expect(service.vault.entitlements.get(grantId)!.removed).toBe('revoked');
});

test('a grant revoked during the call to the vault leaves no entitlement', async () => {
  const tenant = service.tenant();
  const requester = tenant.user(REQUESTER);
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
  const { request } = await service.handlers.createRequest(requester, {
    resourceId,
    reason: 'why',
    durationMinutes: 30,
  });
  service.vault.whilePlacing = async () => {
    const { items } = await service.handlers.listGrants(requester, {});
    await service.handlers.revokeGrant(requester, { grantId: items[0]!.id });
  };
  const approved = await service.handlers.approveRequest(tenant.user(APPROVER), { requestId: request!.id });
  service.vault.whilePlacing = async () => {};
  const grantId = approved.request!.grantId;
  expect(await statusOf(requester, grantId)).toBe('revoked');
  await service.sweep();
  expect(service.vault.entitlements.get(grantId)!.removed).toBe('revoked');
});

test('a grant whose entry is deleted before its start fails, with the reason', async () => {
  const tenant = service.tenant();
  const requester = tenant.user(REQUESTER);
  const { resourceId, entryIds } = service.vault.addResource(tenant.tenantId, 'db');
  const { request } = await service.handlers.createRequest(requester, {
    resourceId,
    reason: 'why',
    durationMinutes: 30,
  });
  service.vault.deleteEntry(entryIds[0]!);
  const approved = await service.handlers.approveRequest(tenant.user(APPROVER), { requestId: request!.id });
  const { grantId } = approved.request!;
  const { grant } = await service.handlers.getGrant(requester, { grantId });
  expect(grant).toMatchObject({ status: 'failed', problem: expect.stringContaining('deleted') });
  expect(grant!.endedAt).toBeDefined();
  expect((await service.handlers.listGrants(requester, { status: 'failed' })).totalItems).toBe(1);
  expect((await service.events(grantId)).map((event) => event.action)).toEqual([
    'grant.created',
    'grant.failed',
  ]);
  await makeDue(grantId);
  await service.sweep();
  expect(service.vault.removals.filter((each) => each.grantId === grantId)).toEqual([
    { grantId, cause: 'failed' },
  ]);
  expect(await codeOf(service.handlers.revokeGrant(requester, { grantId }))).toBe('wrong_status');
});

test('a row that cannot be written stops neither other rows nor the later steps of a round', async () => {
  const tenant = service.tenant();
  const requester = tenant.user(REQUESTER);
  const [poison, neighbour] = [await grantTo(tenant, requester), await grantTo(tenant, requester)];
  const unsynced = await grantTo(tenant, requester);
  for (const { grantId } of [poison, neighbour]) await service.age('grants', grantId, 31);
  await service.scratch.query(
    `CREATE FUNCTION ${service.schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS $f$
       BEGIN IF NEW.id = '${poison.grantId}' THEN RAISE EXCEPTION 'on purpose'; END IF; RETURN NEW; END $f$;
     CREATE TRIGGER refuse BEFORE UPDATE ON ${service.schema}.grants FOR EACH ROW EXECUTE FUNCTION ${service.schema}.refuse()`,
  );
  service.vault.away = true;
  expect(await codeOf(service.handlers.revokeGrant(requester, { grantId: unsynced.grantId }))).toBe(
    'revocation_pending',
  );
  service.vault.away = false;
  await makeDue(unsynced.grantId);
  await expect(service.sweep()).rejects.toThrow('on purpose');
  const removed = service.vault.removals.map((each) => each.grantId);
  expect(removed).toContain(neighbour.grantId);
  expect(removed).toContain(unsynced.grantId);
  await service.scratch.query(`DROP TRIGGER refuse ON ${service.schema}.grants`);
  await service.sweep();
  expect(service.vault.removals.map((each) => each.grantId)).toContain(poison.grantId);
});

test('H-176 only its user and holders of grants.revoke can end a grant', async () => {
  const tenant = service.tenant();
  const { grantId } = await grantTo(tenant, tenant.user(REQUESTER));
  const revoke = (actor: Actor, id = grantId) => codeOf(service.handlers.revokeGrant(actor, { grantId: id }));
  expect(await revoke(tenant.user(REQUESTER))).toBe('not_found');
  expect(await revoke(tenant.user(['grants.use', 'grants.read-all']))).toBe('denied');
  expect(await revoke(tenant.user([]))).toBe('denied');
  expect(await revoke(service.tenant().user(ADMIN))).toBe('not_found');
  expect(await revoke(tenant.user(ADMIN), randomUUID())).toBe('not_found');
  const tooLong = service.handlers.revokeGrant(tenant.user(ADMIN), { grantId, reason: 'x'.repeat(2_001) });
  expect(await codeOf(tooLong)).toBe('invalid');
  expect(await revoke(tenant.user(['grants.revoke']))).toBe('ok');
});

test('an expired grant is shown as expired at once; the sweep updates the row and notifies the vault', async () => {
  const tenant = service.tenant();
  const requester = tenant.user(REQUESTER);
  const { grantId } = await grantTo(tenant, requester);
  await service.age('grants', grantId, 31);
  expect(await statusOf(requester, grantId)).toBe('expired');
  const count = async (status: string) =>
    (await service.handlers.listGrants(requester, { status })).totalItems;
  expect([await count('active'), await count('expired')]).toEqual([0, 1]);
  expect(await codeOf(service.handlers.getGrantCredentials(requester, { grantId }))).toBe('wrong_status');
  expect(await codeOf(service.handlers.revokeGrant(requester, { grantId }))).toBe('wrong_status');
  await Promise.all([service.sweep(), service.sweep()]);
  expect(service.vault.removals.filter((each) => each.grantId === grantId)).toEqual([
    { grantId, cause: 'expired' },
  ]);
  const { grant } = await service.handlers.getGrant(requester, { grantId });
  expect(grant).toMatchObject({ status: 'expired', endedAt: grant!.expiresAt });
  expect((await service.events(grantId)).map((event) => event.action)).toEqual([
    'grant.created',
    'grant.expired',
  ]);
});

test('users list their own grants, readers of all grants those of the tenant; unknown users and resources are not found', async () => {
  const tenant = service.tenant();
  const other = service.tenant();
  const [requester, colleague] = [tenant.user(REQUESTER), tenant.user(REQUESTER)];
  const overseer = tenant.user(['grants.read', 'grants.read-all']);
  const mine = await grantTo(tenant, requester, 'alpha');
  const theirs = await grantTo(tenant, colleague, 'beta');
  const ids = async (actor: Actor, filter: object = {}) =>
    (await service.handlers.listGrants(actor, filter)).items.map((each) => each.id);
  expect(await ids(requester)).toEqual([mine.grantId]);
  expect(await ids(overseer)).toEqual([theirs.grantId, mine.grantId]);
  expect(await ids(other.user(ADMIN))).toEqual([]);
  expect(await ids(overseer, { search: 'alph' })).toEqual([mine.grantId]);
  expect(await ids(overseer, { userId: colleague.userId })).toEqual([theirs.grantId]);
  expect(await ids(overseer, { resourceId: mine.resourceId })).toEqual([mine.grantId]);
  expect(await ids(overseer, { moduleType: 'postgres' })).toEqual([]);
  expect(await ids(overseer, { sortBy: 'resourceName' })).toEqual([mine.grantId, theirs.grantId]);
  expect(await codeOf(service.handlers.getGrant(colleague, { grantId: mine.grantId }))).toBe('not_found');

  const ofUser = await service.handlers.listUserGrants(overseer, { userId: requester.userId });
  expect(ofUser.items.map((each) => each.id)).toEqual([mine.grantId]);
  const ofResource = () => service.handlers.listResourceGrants(overseer, { resourceId: theirs.resourceId });
  expect((await ofResource()).items.map((each) => each.id)).toEqual([theirs.grantId]);
  await service.handlers.revokeGrant(colleague, { grantId: theirs.grantId });
  expect((await ofResource()).items).toEqual([]);
  const foreign = other.user(ADMIN);
  for (const userId of [requester.userId, randomUUID(), 'me'])
    expect(await codeOf(service.handlers.listUserGrants(foreign, { userId }))).toBe('not_found');
  tenant.setStatus(requester.userId, 'disabled');
  expect((await service.handlers.listUserGrants(overseer, { userId: requester.userId })).totalItems).toBe(1);
  tenant.setStatus(requester.userId, 'deleted');
  expect(await codeOf(service.handlers.listUserGrants(overseer, { userId: requester.userId }))).toBe(
    'not_found',
  );
  for (const resourceId of [theirs.resourceId, randomUUID(), 'x'])
    expect(await codeOf(service.handlers.listResourceGrants(foreign, { resourceId }))).toBe('not_found');
});

test('the database refuses to create a grant without its approved request, and to reopen an ended grant', async () => {
  const tenant = service.tenant();
  const requester = tenant.user(REQUESTER);
  const { grantId, requestId } = await grantTo(tenant, requester);
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
  const { request: pending } = await service.handlers.createRequest(requester, {
    resourceId,
    reason: 'why',
    durationMinutes: 30,
  });
  const copyOnto = (id: string) =>
    service.deps.database.withTenant(tenant.tenantId, async (tx) => {
      const grant = await tx
        .selectFrom('grants')
        .selectAll()
        .where('id', '=', grantId)
        .executeTakeFirstOrThrow();
      await tx
        .insertInto('grants')
        .values({ ...grant, id: randomUUID(), request_id: id })
        .execute();
    });
  await expect(copyOnto(pending!.id)).rejects.toThrow(/approved request/);
  await expect(copyOnto(requestId)).rejects.toThrow(/duplicate key/);
  await service.handlers.revokeGrant(requester, { grantId });
  const { database } = service.deps;
  await expect(
    database.withTenant(tenant.tenantId, (tx) =>
      tx
        .updateTable('grants')
        .set({ status: 'active', ended_at: null, revoked_by: null })
        .where('request_id', '=', requestId)
        .execute(),
    ),
  ).rejects.toThrow(/cannot go from revoked to active/);
});
