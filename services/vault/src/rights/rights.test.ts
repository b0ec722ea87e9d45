import { randomUUID } from 'node:crypto';
import { AccessLevel, methodOf, methods, namesEntry } from '@claviger/contracts';
import type { Actor } from '@claviger/service-kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeOf, type RightsBench, startRights } from '../../rights-support.ts';
import { type Access, levelOf, reaches } from './access.ts';

let bench: RightsBench;
beforeAll(async () => {
  bench = await startRights();
});
afterAll(() => bench?.[Symbol.asyncDispose]());

const EVERYTHING_BUT_ANY = [
  'vault.entries.read',
  'vault.entries.create',
  'vault.entries.update',
  'vault.entries.delete',
  'vault.entries.rotate',
  'vault.entries.retrieve',
  'vault.shares.*',
  'vault.recover',
  'resources.*',
  'modules.*',
];
const ENTRIES = '/claviger.vault.v1.EntriesService';
const entries = (name: string, actor: Actor, fields: object) =>
  bench.call(`${ENTRIES}/${name}`, actor, fields);

async function scene(more: object = {}) {
  const tenantId = randomUUID();
  const owner = bench.person(tenantId, EVERYTHING_BUT_ANY);
  const { entry } = (await entries('CreateEntry', owner, {
    name: 'root',
    username: 'root',
    secret: 'first',
    ...more,
  })) as { entry: { id: string } };
  const someone = (permissions = EVERYTHING_BUT_ANY) => bench.person(tenantId, permissions);
  const holder = async (access: Access): Promise<Actor> => {
    const person = someone();
    if (access !== 'none')
      await entries('PutShare', owner, {
        entryId: entry.id,
        userId: person.userId,
        access: access === 'full' ? 'manage' : access,
      });
    return person;
  };
  return { tenantId, owner, entryId: entry.id, someone, holder };
}

/** Operations that require access to an entry, with the other fields that a request of each needs. */
const guarded = [...methods.values()].filter(
  (method) =>
    method.owner === 'vault' &&
    (method.policy!.access > AccessLevel.ACCESS_LEVEL_NONE ||
      (namesEntry(method) && method.policy!.access === AccessLevel.ACCESS_LEVEL_UNSPECIFIED)),
);
const FIELDS: Readonly<Record<string, (entryId: string) => object>> = {
  CreateResource: (adminEntryId) => ({ name: randomUUID(), type: 'server', adminEntryId }),
  UpdateEntry: (entryId) => ({ entryId, description: 'changed' }),
  RecoverCandidates: (entryId) => ({ entryId, reason: 'why' }),
  PutRotationSchedule: (entryId) => ({ entryId, intervalHours: 0 }),
  RotateEntry: (entryId) => ({ entryId, reason: 'why' }),
  PutShare: (entryId) => ({ entryId, userId: bench.person(randomUUID(), []).userId, access: 'view' }),
  DeleteShare: (entryId) => ({ entryId, userId: randomUUID() }),
};

test.each(guarded.map((method) => method.path))(
  '%s is refused below the access that its policy declares, and its denial changes nothing',
  async (path) => {
    const needed = levelOf(methodOf(path).policy!.access);
    const { name } = methodOf(path);
    for (const access of ['none', 'view', 'modify', 'full'] as const) {
      const { entryId, holder, owner } = await scene();
      const actor = await holder(access);
      const fields = await fieldsOf(name, entryId, owner);
      const row = () =>
        bench.scratch.query(
          `SELECT e, (SELECT count(*) FROM ${bench.schema}.shares s WHERE s.entry_id = e.id)
          FROM ${bench.schema}.entries e WHERE id = $1`,
          [entryId],
        );
      const before = await row();
      const code = await codeOf(bench.call(path, actor, fields));
      const refused = ['denied', 'insufficient_access', 'secrets_not_visible'].includes(code);
      expect({ access, refused, code }).toMatchObject({ refused: !reaches(access, needed) });
      if (refused) expect(await row()).toEqual(before);
    }
  },
);

async function fieldsOf(name: string, entryId: string, owner: Actor): Promise<object> {
  if (name !== 'UpdateResource') return FIELDS[name]?.(entryId) ?? { entryId };
  const { resource } = (await bench.call('/claviger.vault.v1.ResourcesService/CreateResource', owner, {
    name: randomUUID(),
    type: 'server',
  })) as { resource: { id: string } };
  return { resourceId: resource.id, adminEntryId: entryId };
}

test('protection and account name require full access; an unchanged field is no change', async () => {
  const { entryId, holder, owner } = await scene({ requiresReason: true });
  const modifier = await holder('modify');
  const full = await holder('full');
  for (const change of [{ requiresGrant: true }, { username: 'toor' }]) {
    expect(await codeOf(entries('UpdateEntry', modifier, { entryId, ...change }))).toBe(
      'insufficient_access',
    );
    expect(await codeOf(entries('UpdateEntry', full, { entryId, ...change }))).toBe('ok');
  }
  const same = { requiresGrant: true, requiresReason: true, username: 'toor' };
  expect(await codeOf(entries('UpdateEntry', modifier, { entryId, ...same, secret: 'second' }))).toBe('ok');
  const [event] = await eventsOf(entryId, 'vault.entry.updated');
  expect(event!.details).toMatchObject({ before: { requiresGrant: false }, after: { requiresGrant: true } });
  expect(await known(entryId, 2)).toEqual([{ user_id: modifier.userId, kind: 'set' }]);
  expect(owner.userId).not.toBe(modifier.userId);
});

test('an entry is shared only with active users; while auth is unavailable no user counts as unknown', async () => {
  const { entryId, owner, someone } = await scene();
  const bob = someone();
  const share = (userId: string) => entries('PutShare', owner, { entryId, userId, access: 'view' });
  const shared = async () =>
    ((await entries('ListShares', owner, { entryId })) as { items: { userId: string }[] }).items;
  const refused = {
    reason: 'invalid',
    fields: [{ pointer: '/userId', detail: expect.stringContaining('active user') }],
    hint: expect.stringContaining('list of users'),
  };
  const away = bench.directoryAway();
  await expect(share(bob.userId)).rejects.toMatchObject({ reason: 'unavailable' });
  away[Symbol.dispose]();
  await expect(share(randomUUID())).rejects.toMatchObject(refused);
  await expect(share('bob')).rejects.toMatchObject(refused);
  for (const status of ['disabled', 'deleted'] as const) {
    bench.users.set(bob.userId, status);
    await expect(share(bob.userId)).rejects.toMatchObject(refused);
  }
  expect(await shared()).toEqual([]);
  bench.users.set(bob.userId, 'active');
  await share(bob.userId);
  // A share can be deleted while auth is unavailable, whatever the status of its user.
  bench.users.set(bob.userId, 'deleted');
  using _away = bench.directoryAway();
  await entries('DeleteShare', owner, { entryId, userId: bob.userId });
  expect(await shared()).toEqual([]);
});

test('a live grant gives view access, and no access to change anything', async () => {
  const { entryId, someone, tenantId } = await scene({ requiresGrant: true });
  const grantee = someone();
  const fields = {
    grantId: randomUUID(),
    entryId,
    userId: grantee.userId,
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
  };
  await bench.call(
    '/claviger.vault.v1.EntitlementsService/PlaceEntitlement',
    { ...grantee, tenantId },
    fields,
  );
  expect(await codeOf(entries('RetrieveEntry', grantee, { entryId }))).toBe('ok');
  for (const change of [{ secret: 'planted' }, { description: 'x' }, { requiresGrant: false }])
    expect(await codeOf(entries('UpdateEntry', grantee, { entryId, ...change }))).toBe('insufficient_access');
  expect(await codeOf(entries('DeleteEntry', grantee, { entryId }))).toBe('insufficient_access');
});

test('an entry that requires a grant discloses no pending versions without one, even to its owner', async () => {
  const { entryId, owner, someone } = await scene({ requiresGrant: true });
  const administrator = someone(['*']);
  for (const actor of [owner, administrator])
    expect(await codeOf(entries('RecoverCandidates', actor, { entryId, reason: 'why' }))).toBe('denied');
});

test('only an approved request lowers a protection that a policy requires, and each approval is used once', async () => {
  const { entryId, owner } = await scene({ requiresGrant: true, requiresReason: true });
  const { protection } = bench;
  const lower = () => entries('UpdateEntry', owner, { entryId, requiresGrant: false });
  const state = async () =>
    (
      await bench.scratch.query(
        `SELECT requires_grant, requires_reason FROM ${bench.schema}.entries WHERE id = $1`,
        [entryId],
      )
    )[0];
  protection.status = 'pending';
  await expect(lower()).rejects.toMatchObject({
    reason: 'conflict',
    code: 'approval_required',
    approvalRequestId: protection.requestId,
  });
  protection.status = 'away';
  expect(await codeOf(lower())).toBe('unavailable');
  expect(await state()).toEqual({ requires_grant: true, requires_reason: true });
  // A change that does not lower the protection needs no approval.
  await entries('UpdateEntry', owner, { entryId, requiresGrant: true, description: 'kept' });
  protection.status = 'approved';
  await lower();
  expect(await state()).toEqual({ requires_grant: false, requires_reason: true });
  const event = (await eventsOf(entryId, 'vault.entry.updated')).at(-1);
  expect(event!.details).toMatchObject({
    before: { requiresGrant: true },
    after: { requiresGrant: false },
    approvedBy: protection.requestId,
  });
  // After the protection was raised again, the same change needs a new approval; the used one is not valid.
  await entries('UpdateEntry', owner, { entryId, requiresGrant: true });
  await expect(lower()).rejects.toThrow();
  expect(await state()).toEqual({ requires_grant: true, requires_reason: true });
  expect(protection.digests.slice(0, -1)).not.toContain(protection.digests.at(-1));
});

test('an administrator has full access to every entry, and the event names this basis of the access', async () => {
  const { entryId, someone } = await scene();
  await entries('UpdateEntry', someone(['*']), { entryId, requiresGrant: true });
  const [event] = await eventsOf(entryId, 'vault.entry.updated');
  expect(event!.details).toMatchObject({ basis: 'administrator' });
});

const OPERATOR = EVERYTHING_BUT_ANY;
const ADOPTER = [...EVERYTHING_BUT_ANY, 'vault.entries.adopt'];
const adopt = (actor: Actor, entryId: string) =>
  entries('AdoptEntry', actor, { entryId, reason: 'its owner has left' }) as Promise<{
    state: string;
    ownerId: string;
  }>;
const giveResource = (actor: Actor, resourceId: string, ownerId: string) =>
  bench.call('/claviger.vault.v1.ResourcesService/PutResourceOwner', actor, { resourceId, ownerId });

test('an entry whose owner has left passes to the owner of its resource, and to no other actor', async () => {
  const tenantId = randomUUID();
  const [keeper, leaver, admin] = [OPERATOR, OPERATOR, ['*']].map((permissions) =>
    bench.person(tenantId, permissions),
  );
  const { resource } = (await bench.call('/claviger.vault.v1.ResourcesService/CreateResource', keeper!, {
    name: 'db',
    type: 'server',
  })) as { resource: { id: string; ownerId: string } };
  expect(resource.ownerId).toBe(keeper!.userId);
  const { entry } = (await entries('CreateEntry', leaver!, {
    name: 'note',
    type: 'note',
    resourceId: resource.id,
    secret: 'kept',
  })) as { entry: { id: string } };
  const code = (actor: Actor) => codeOf(adopt(actor, entry.id));
  expect(await code(keeper!)).toBe('owner_present');
  bench.users.set(leaver!.userId, 'disabled');
  expect(await code(admin!)).toBe('resource_owner_adopts');
  expect(await codeOf(entries('RetrieveEntry', keeper!, { entryId: entry.id }))).toBe('denied');
  expect(await adopt(keeper!, entry.id)).toMatchObject({ state: 'adopted', ownerId: keeper!.userId });
  expect(await codeOf(entries('RetrieveEntry', keeper!, { entryId: entry.id }))).toBe('ok');
  // The former owner returns and no longer owns the entry.
  bench.users.set(leaver!.userId, 'active');
  expect(await codeOf(entries('RetrieveEntry', leaver!, { entryId: entry.id }))).toBe('denied');
  const [event] = await eventsOf(entry.id, 'vault.entry.adopted');
  expect(event!.details).toMatchObject({
    before: { ownerId: leaver!.userId },
    after: { ownerId: keeper!.userId },
  });
});

test('without a resource owner two administrators adopt an entry; a machine identity of the first does not count as the second', async () => {
  const { entryId, owner, tenantId } = await scene();
  bench.users.set(owner.userId, 'deleted');
  const [first, second] = [bench.person(tenantId, ADOPTER), bench.person(tenantId, ADOPTER)];
  expect(await codeOf(adopt(bench.person(tenantId, OPERATOR), entryId))).toBe('denied');
  expect(await adopt(first, entryId)).toMatchObject({ state: 'proposed', ownerId: first.userId });
  const machine = bench.person(tenantId, ADOPTER, { responsibleId: first.userId, behind: [first.userId] });
  for (const actor of [first, machine])
    expect(await codeOf(adopt(actor, entryId))).toBe('second_person_needed');
  expect(await codeOf(adopt(bench.person(tenantId, ADOPTER, { kind: 'api-token' }), entryId))).toBe('denied');
  expect(await codeOf(entries('RetrieveEntry', first, { entryId }))).toBe('denied');
  expect(await adopt(second, entryId)).toMatchObject({ state: 'adopted', ownerId: first.userId });
  expect(await codeOf(entries('RetrieveEntry', first, { entryId }))).toBe('ok');
  expect(await codeOf(entries('RetrieveEntry', second, { entryId }))).toBe('denied');
});

test('a proposal expires, ends when its proposer leaves, and does not apply to a later owner', async () => {
  const { entryId, owner, tenantId } = await scene();
  bench.users.set(owner.userId, 'deleted');
  const [first, second, third] = [1, 2, 3].map(() => bench.person(tenantId, ADOPTER));
  await adopt(first!, entryId);
  await bench.scratch.query(
    `UPDATE ${bench.schema}.entry_adoptions SET expires_at = now() - interval '1 second' WHERE entry_id = $1`,
    [entryId],
  );
  expect(await adopt(second!, entryId)).toMatchObject({ state: 'proposed', ownerId: second!.userId });
  bench.users.set(second!.userId, 'disabled');
  expect(await adopt(third!, entryId)).toMatchObject({ state: 'proposed', ownerId: third!.userId });
  expect(await adopt(first!, entryId)).toMatchObject({ state: 'adopted', ownerId: third!.userId });
  bench.users.set(third!.userId, 'deleted');
  expect(await adopt(first!, entryId)).toMatchObject({ state: 'proposed', ownerId: first!.userId });
});

test('only the owner of a resource or an administrator changes its owner, and only to an active user', async () => {
  const tenantId = randomUUID();
  const [keeper, other] = [bench.person(tenantId, OPERATOR), bench.person(tenantId, OPERATOR)];
  const { resource } = (await bench.call('/claviger.vault.v1.ResourcesService/CreateResource', keeper, {
    name: 'db',
    type: 'server',
  })) as { resource: { id: string } };
  expect(await codeOf(giveResource(other, resource.id, other.userId))).toBe('denied');
  expect(await codeOf(giveResource(keeper, resource.id, randomUUID()))).toBe('invalid');
  await giveResource(keeper, resource.id, other.userId);
  expect(await codeOf(giveResource(keeper, resource.id, keeper.userId))).toBe('denied');
  await giveResource(bench.person(tenantId, ['*']), resource.id, keeper.userId);
  const events = await eventsOf(resource.id, 'resource.owner-changed');
  expect(events.map(({ details }) => (details as { basis: string }).basis)).toEqual([
    'owner',
    'administrator',
  ]);
});

async function eventsOf(subjectId: string, action: string) {
  const rows = await bench.scratch.query<{ payload: string }>(
    `SELECT payload FROM ${bench.schema}.outbox WHERE subject = 'audit.vault' ORDER BY created_at`,
  );
  return rows
    .map(({ payload }) => JSON.parse(payload) as { action: string; subjectId: string; details: object })
    .filter((event) => event.subjectId === subjectId && event.action === action);
}

function known(entryId: string, version: number) {
  return bench.scratch.query(
    `SELECT user_id, kind FROM ${bench.schema}.exposure_paths WHERE entry_id = $1 AND version = $2`,
    [entryId, version],
  );
}
