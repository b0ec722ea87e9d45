import { randomUUID } from 'node:crypto';
import * as tenantKeys from '@claviger/contracts/vault/v1/tenant_keys';
import * as vault from '@claviger/contracts/vault/v1/vault';
import { verifyReceipt } from '@claviger/merkle';
import { requireEvery } from '@claviger/service-kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, type Person, startVault, type VaultBench } from '../test-support.ts';

const CANARY = 'canary-5f1d-secret "quoted" \\ and ünïcode';
let bench: VaultBench;
let admin: Person;

beforeAll(async () => {
  bench = await startVault({ services: ['vault', 'auth'], replicas: { vault: 3 } });
  admin = await bench.as({});
});
afterAll(() => bench?.[Symbol.asyncDispose]());

const unique = (name: string) => `${name}-${randomUUID().slice(0, 8)}`;
const newEntry = async (who: Person, more: object = {}) => {
  const { entry } = await who.entries.createEntry({ name: unique('entry'), secret: CANARY, ...more });
  return entry!;
};
const colleague = (permissions: string[] = ['vault.entries.retrieve', 'vault.entries.read']) =>
  bench.as({ tenantId: admin.actor.tenantId, permissions: new Set(permissions) });
/** Repeats a call that a busy database did not answer, as the callers of the vault do. */
const answered = <T>(call: () => Promise<T>): Promise<T> =>
  eventually('an answer', async () => {
    try {
      return { value: await call() };
    } catch (error) {
      if ((error as { reason?: string }).reason !== 'unavailable') throw error;
      return undefined;
    }
  }).then(({ value }) => value);
/** Whether a database session waits for a lock. */
const waitsForLock = () =>
  bench.superuser(async (client) => {
    const { rowCount } = await client.query("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
    return rowCount! > 0;
  });
const eventsOf = (action: string, subjectId: string) =>
  bench.superuser(async (client) => {
    const { rows } = await client.query<{ payload: string }>(
      "SELECT payload FROM outbox WHERE subject = 'audit.vault' ORDER BY created_at",
    );
    return rows
      .map(({ payload }) => JSON.parse(payload) as Record<string, unknown> & { details: object })
      .filter((event) => event.action === action && event.subjectId === subjectId);
  });

describe('resources and entries', () => {
  test('are created, read, listed, changed and deleted', async () => {
    const { resource } = await admin.resources.createResource({
      name: unique('db'),
      type: 'database',
      host: 'db.example.org',
      port: 5432,
      tags: ['eu'],
    });
    const entry = await newEntry(admin, { resourceId: resource!.id, username: 'app', tags: ['prod'] });
    expect(entry).toMatchObject({
      type: 'password',
      currentVersion: 1,
      resourceName: resource!.name,
      rotationState: 'idle',
      tags: ['prod'],
    });
    expect((await admin.resources.getResource({ resourceId: resource!.id })).resource?.entryCount).toBe(1);
    const listed = await admin.entries.listEntries({ resourceId: resource!.id });
    expect(listed).toMatchObject({ totalItems: 1, items: [{ id: entry.id }] });
    expect((await admin.entries.listEntries({ search: resource!.name })).totalItems).toBe(1);

    const changed = await admin.entries.updateEntry({
      entryId: entry.id,
      username: 'app2',
      secret: 'second',
      rowVersion: 1,
    });
    expect(changed.entry).toMatchObject({ username: 'app2', currentVersion: 2, rowVersion: 2 });
    expect((await admin.entries.listEntryVersions({ entryId: entry.id })).items).toMatchObject([
      { version: 2, state: 'current' },
      { version: 1, state: 'previous' },
    ]);
    await expect(
      admin.entries.updateEntry({ entryId: entry.id, name: 'x', rowVersion: 1 }),
    ).rejects.toMatchObject({ reason: 'precondition_failed' });
    await expect(admin.resources.deleteResource({ resourceId: resource!.id })).rejects.toMatchObject({
      reason: 'conflict',
      code: 'in_use',
    });
    await admin.entries.deleteEntry({ entryId: entry.id });
    await expect(admin.entries.getEntry({ entryId: entry.id })).rejects.toMatchObject({
      reason: 'not_found',
    });
    await expect(admin.entries.retrieveEntry({ entryId: entry.id })).rejects.toMatchObject({
      reason: 'not_found',
    });
    await admin.resources.deleteResource({ resourceId: resource!.id });
    await expect(admin.resources.getResource({ resourceId: resource!.id })).rejects.toMatchObject({
      reason: 'not_found',
    });
  });

  test('names are unique, a secret is given or generated, and events never contain it', async () => {
    const name = unique('same');
    const entry = await newEntry(admin, { name });
    await expect(admin.entries.createEntry({ name, secret: 'x' })).rejects.toMatchObject({
      code: 'name_taken',
    });
    await expect(admin.entries.createEntry({ name: unique('e') })).rejects.toMatchObject({
      reason: 'invalid',
    });
    await expect(
      admin.entries.createEntry({ name: unique('e'), secret: 'x', generate: true }),
    ).rejects.toMatchObject({ reason: 'invalid' });
    const generated = await admin.entries.createEntry({ name: unique('e'), generate: true });
    const { secret } = await admin.entries.retrieveEntry({ entryId: generated.entry!.id });
    expect(secret).toHaveLength(24);
    await admin.entries.updateEntry({ entryId: entry.id, secret: `${CANARY}2` });
    const events = [
      ...(await eventsOf('vault.entry.created', entry.id)),
      ...(await eventsOf('vault.entry.updated', entry.id)),
    ];
    expect(events).toMatchObject([
      { outcome: 'allowed', details: { blobSha256: expect.stringMatching(/^[0-9a-f]{64}$/) } },
      { outcome: 'allowed', details: { version: 2 } },
    ]);
    expect(JSON.stringify(events)).not.toContain('canary-5f1d');
  });

  test('a file of up to 48 KiB is returned byte for byte, and only canonical base64 is accepted', async () => {
    const bytes = Buffer.from(Array.from({ length: 49_152 }, (_, n) => n * 7));
    const entry = await newEntry(admin, { type: 'file', secret: bytes.toString('base64') });
    const { secret, type } = await admin.entries.retrieveEntry({ entryId: entry.id });
    expect([type, Buffer.from(secret, 'base64').equals(bytes)]).toEqual(['file', true]);
    const user = await colleague([]);
    const grantId = await place(entry.id, user.actor.userId);
    expect(await user.entitlements.deliverCredentials({ grantId })).toMatchObject({ type: 'file', secret });
    for (const wrong of [
      'not base64',
      'YQ',
      'YR==',
      'YQ==\n',
      '_-8=',
      Buffer.alloc(49_153).toString('base64'),
    ]) {
      const refusal = { reason: 'invalid', fields: [{ pointer: '/secret' }] };
      await expect(newEntry(admin, { type: 'file', secret: wrong })).rejects.toMatchObject(refusal);
      const change = admin.entries.updateEntry({ entryId: entry.id, secret: wrong });
      await expect(change).rejects.toMatchObject(refusal);
    }
    await admin.entries.updateEntry({ entryId: entry.id, secret: 'AA==' });
    expect((await admin.entries.retrieveEntry({ entryId: entry.id })).secret).toBe('AA==');
    await expect(newEntry(admin, { type: 'file', secret: '', generate: true })).rejects.toMatchObject({
      reason: 'invalid',
    });
  });

  test("another tenant's objects give exactly the answer of unknown objects", async () => {
    const stranger = await bench.as({});
    const entry = await newEntry(admin);
    const { resource } = await admin.resources.createResource({ name: unique('r'), type: 'server' });
    const { module } = await admin.modules.createModule({ name: unique('m'), type: 'ssh' });
    const refusal = async (call: () => Promise<unknown>) =>
      call().then(
        () => 'allowed',
        (error: { reason: string; message: string; code: string }) => [
          error.reason,
          error.code,
          error.message,
        ],
      );
    for (const id of [randomUUID(), 'no-uuid']) {
      for (const [foreign, unknown] of [
        [
          () => stranger.entries.getEntry({ entryId: entry.id }),
          () => stranger.entries.getEntry({ entryId: id }),
        ],
        [
          () => stranger.entries.retrieveEntry({ entryId: entry.id }),
          () => stranger.entries.retrieveEntry({ entryId: id }),
        ],
        [
          () => stranger.entries.updateEntry({ entryId: entry.id }),
          () => stranger.entries.updateEntry({ entryId: id }),
        ],
        [
          () => stranger.entries.deleteEntry({ entryId: entry.id }),
          () => stranger.entries.deleteEntry({ entryId: id }),
        ],
        [
          () => stranger.entries.rotateEntry({ entryId: entry.id }),
          () => stranger.entries.rotateEntry({ entryId: id }),
        ],
        [
          () => stranger.resources.getResource({ resourceId: resource!.id }),
          () => stranger.resources.getResource({ resourceId: id }),
        ],
        [
          () => stranger.modules.deleteModule({ moduleId: module!.id }),
          () => stranger.modules.deleteModule({ moduleId: id }),
        ],
      ] as const) {
        const [first, second] = [await refusal(foreign), await refusal(unknown)];
        expect(first).toEqual(second);
        expect(first[0]).toBe('not_found');
      }
    }
    expect((await stranger.entries.listEntries({})).totalItems).toBe(0);
    await expect(
      stranger.entries.createEntry({ name: 'x', secret: 'x', resourceId: resource!.id }),
    ).rejects.toMatchObject({ reason: 'invalid' });
  });

  test('a cursor reads a list of more than three pages, and its total follows every change', async () => {
    const alone = await bench.as({});
    const names: string[] = [];
    for (let index = 0; index < 13; index += 1) {
      const { entry } = await alone.entries.createEntry({
        name: `e${String(index).padStart(2, '0')}`,
        secret: 's',
      });
      names.push(entry!.name);
    }
    const walked: string[] = [];
    let cursor = '';
    do {
      const page = await alone.entries.listEntries({
        pageSize: 4,
        cursor,
        sortBy: 'name',
        sortOrder: 'desc',
      });
      expect(page.totalItems).toBe(13);
      walked.push(...page.items.map((entry) => entry.name));
      cursor = page.nextCursor ?? '';
    } while (cursor);
    expect(walked).toEqual(names.toReversed());
    const [first] = (await alone.entries.listEntries({ pageSize: 1 })).items;
    await alone.entries.deleteEntry({ entryId: first!.id });
    expect((await alone.entries.listEntries({})).totalItems).toBe(12);
    expect((await alone.entries.listEntries({ search: '%' })).totalItems).toBe(0);
    await expect(alone.entries.listEntries({ sortBy: '__proto__' })).rejects.toMatchObject({
      reason: 'invalid',
    });
  });
});

describe('retrieve', () => {
  test('returns the secret with a receipt for the event that was committed before', async () => {
    const entry = await newEntry(admin);
    const answer = await admin.entries.retrieveEntry({ entryId: entry.id, reason: 'deploy', ticket: 'T-1' });
    expect(answer).toMatchObject({ secret: CANARY, version: 1, rotationState: 'idle' });
    const [event] = await eventsOf('vault.entry.retrieved', entry.id);
    expect(event).toMatchObject({
      id: answer.receipt!.eventId,
      reason: 'deploy',
      outcome: 'allowed',
      details: { version: 1, basis: 'owner', ticket: 'T-1' },
    });
    expect(verifyReceipt(answer.receipt!, [bench.receiptPublicKey])).toBe(true);
    // The second retrieval is one statement with the facts of the first; a new version is detected.
    await admin.entries.retrieveEntry({ entryId: entry.id });
    await admin.entries.updateEntry({ entryId: entry.id, secret: 'second' });
    expect(await admin.entries.retrieveEntry({ entryId: entry.id })).toMatchObject({
      secret: 'second',
      version: 2,
    });
    expect(await admin.entries.retrieveEntry({ entryId: entry.id, version: 1 })).toMatchObject({
      secret: CANARY,
    });
    const events = await eventsOf('vault.entry.retrieved', entry.id);
    expect(events.map((each) => (each.details as { version: number }).version)).toEqual([1, 1, 2, 1]);
    expect(
      (await admin.entries.listEntryVersions({ entryId: entry.id })).items.map((v) => v.seenByCount),
    ).toEqual([1, 1]);
  });

  test('requires a share, and records a refusal as an event', async () => {
    const entry = await newEntry(admin);
    const user = await colleague();
    await expect(user.entries.retrieveEntry({ entryId: entry.id })).rejects.toMatchObject({
      reason: 'denied',
    });
    expect(await eventsOf('vault.entry.retrieved', entry.id)).toMatchObject([
      { outcome: 'denied', actorId: user.actor.userId },
    ]);
    await admin.entries.putShare({ entryId: entry.id, userId: user.actor.userId, access: 'view' });
    expect((await user.entries.retrieveEntry({ entryId: entry.id })).secret).toBe(CANARY);
    expect((await admin.entries.listShares({ entryId: entry.id })).items).toMatchObject([
      { userId: user.actor.userId, access: 'view' },
    ]);
    await admin.entries.deleteShare({ entryId: entry.id, userId: user.actor.userId });
    await expect(user.entries.retrieveEntry({ entryId: entry.id })).rejects.toMatchObject({
      reason: 'denied',
    });
    const sharer = await colleague(['vault.shares.manage', 'vault.entries.retrieve']);
    await expect(
      sharer.entries.putShare({ entryId: entry.id, userId: sharer.actor.userId, access: 'manage' }),
    ).rejects.toMatchObject({ reason: 'denied' });
  });

  test('enforces the protection of the entry: a reason, and a live grant even with a share', async () => {
    const entry = await newEntry(admin, { requiresReason: true, requiresGrant: true });
    await expect(admin.entries.retrieveEntry({ entryId: entry.id, reason: 'x' })).rejects.toMatchObject({
      reason: 'denied',
    });
    await place(entry.id, admin.actor.userId, { oneTime: false });
    for (const reason of ['', '   ']) {
      await expect(admin.entries.retrieveEntry({ entryId: entry.id, reason })).rejects.toMatchObject({
        reason: 'invalid',
        fields: [{ pointer: '/reason' }],
      });
    }
    expect((await admin.entries.retrieveEntry({ entryId: entry.id, reason: 'x' })).secret).toBe(CANARY);
  });

  test('discloses nothing when the record cannot be written', async () => {
    const entry = await newEntry(admin);
    const grantId = await place(entry.id, admin.actor.userId);
    await admin.entries.retrieveEntry({ entryId: entry.id });
    await bench.superuser(async (client) => {
      await client.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'full'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION refuse()`);
    });
    try {
      for (const call of [
        () => admin.entries.retrieveEntry({ entryId: entry.id }),
        () => admin.entitlements.deliverCredentials({ grantId }),
        () => admin.entries.recoverCandidates({ entryId: entry.id, reason: 'x' }),
      ]) {
        await expect(call()).rejects.toMatchObject({ reason: 'audit_unavailable' });
      }
    } finally {
      await bench.superuser((client) => client.query('DROP FUNCTION refuse CASCADE'));
    }
    expect((await admin.entitlements.deliverCredentials({ grantId })).secret).toBe(CANARY);
  });
});

test('no secret of a suspended tenant is disclosed, even to a call that was admitted before', async () => {
  const person = await bench.as({});
  const { tenantId, userId } = person.actor;
  const entry = await newEntry(person);
  const grantId = randomUUID();
  await bench
    .workflow(tenantId)
    .placeEntitlement({ grantId, entryId: entry.id, userId, expiresAt: inAnHour() });
  const calls = [
    () => person.entries.retrieveEntry({ entryId: entry.id }),
    () => person.entries.recoverCandidates({ entryId: entry.id, reason: 'x' }),
    () => person.entitlements.deliverCredentials({ grantId }),
  ];
  for (const call of calls) await call();
  await bench.superuser((client) =>
    client.query(
      "INSERT INTO vault.tenant_standings (tenant_id, standing, version) VALUES ($1, 'suspended', 2)",
      [tenantId],
    ),
  );
  for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'tenant_suspended' });
});

test('every replica drops a destroyed key from memory, even a replica that was frozen at the time', async () => {
  const person = await bench.as({});
  const { tenantId } = person.actor;
  const entry = await newEntry(person);
  const options = await person.options();
  const unset = vault.EntriesService.retrieveEntry.requestDeserialize(Buffer.alloc(0));
  const request = { ...unset, entryId: entry.id };
  const retrieve = () =>
    bench.gateway.each('vault', vault.EntriesService, (replica) => replica.retrieveEntry(request, options));
  const setStatus = (name: string, version: number) =>
    bench.superuser((client) =>
      client.query(
        `INSERT INTO vault.tenant_standings (tenant_id, standing, version) VALUES ($1, $2, $3)
           ON CONFLICT (tenant_id) DO UPDATE SET standing = excluded.standing, version = excluded.version`,
        [tenantId, name, version],
      ),
    );
  expect(requireEvery('vault', await retrieve()).map(({ secret }) => secret)).toEqual([
    CANARY,
    CANARY,
    CANARY,
  ]);
  await setStatus('deprovisioning', 2);
  const pid = bench.installation.pid('vault-3')!;
  process.kill(pid, 'SIGSTOP');
  try {
    const order = { orderedBy: 'one', confirmedBy: 'another', statusVersion: 2 };
    const answers = await bench.auth.each('vault', tenantKeys.TenantKeysService, (replica) =>
      replica.destroyTenantKeys(order, { tenantId }),
    );
    expect(() => requireEvery('vault', answers)).toThrow('1 of 3 replicas of vault did not confirm');
    // Even if the tenant becomes active again, its secrets cannot be decrypted.
    await setStatus('active', 3);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  // The third replica gets no call: it reads the database.
  await eventually('all replicas to drop the key', async () =>
    (await retrieve()).every(({ error }) => error?.code === 'tenant_deprovisioned'),
  );
  expect(await eventsOf('encryption.tenant-keys.destroyed', tenantId)).toHaveLength(1);
});

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();
async function place(entryId: string, userId: string, more: object = {}): Promise<string> {
  const grantId = randomUUID();
  await bench.workflow(admin.actor.tenantId).placeEntitlement({
    grantId,
    entryId,
    userId,
    expiresAt: inAnHour(),
    oneTime: true,
    rotateOnEnd: true,
    ...more,
  });
  return grantId;
}

test('an id is accepted in upper case, and events contain it in lower case', async () => {
  const entry = await newEntry(admin);
  const entryId = entry.id.toUpperCase();
  expect((await admin.entries.getEntry({ entryId })).entry).toMatchObject({ id: entry.id });
  expect(await admin.entries.retrieveEntry({ entryId })).toMatchObject({ entryId: entry.id, secret: CANARY });
  expect(await eventsOf('vault.entry.retrieved', entry.id)).toHaveLength(1);
});

describe('grants', () => {
  test('H-170 of 50 concurrent deliveries of one-time credentials, one succeeds', async () => {
    const entry = await newEntry(admin);
    const user = await colleague([]);
    const grantId = await place(entry.id, user.actor.userId);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, () => user.entitlements.deliverCredentials({ grantId })),
    );
    const delivered = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    const codes = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [(outcome.reason as { code: string }).code] : [],
    );
    expect(delivered).toHaveLength(1);
    expect(delivered[0]!.value).toMatchObject({ secret: CANARY, entryId: entry.id });
    expect(new Set(codes)).toEqual(new Set(['already_delivered']));
    const events = await eventsOf('vault.credentials.delivered', entry.id);
    expect(events.filter((event) => event.outcome === 'allowed')).toHaveLength(1);
  });

  test('H-175 a grant ends at once and for good, and gives access only to its grantee', async () => {
    const entry = await newEntry(admin);
    const user = await colleague([]);
    const other = await colleague([]);
    const foreigner = await bench.as({ userId: user.actor.userId });
    const grantId = await place(entry.id, user.actor.userId, { oneTime: false });
    await expect(other.entitlements.deliverCredentials({ grantId })).rejects.toMatchObject({
      reason: 'not_found',
    });
    await expect(foreigner.entitlements.deliverCredentials({ grantId })).rejects.toMatchObject({
      reason: 'not_found',
    });
    await expect(admin.entitlements.deliverCredentials({ grantId })).rejects.toMatchObject({
      reason: 'denied',
    });
    await user.entitlements.deliverCredentials({ grantId });
    await user.entitlements.deliverCredentials({ grantId });
    await expect(admin.entries.deleteEntry({ entryId: entry.id })).rejects.toMatchObject({ code: 'in_use' });
    const workflow = bench.workflow(admin.actor.tenantId);
    await workflow.removeEntitlement({ grantId, cause: 'revoked' });
    await workflow.removeEntitlement({ grantId, cause: 'revoked' });
    await expect(user.entitlements.deliverCredentials({ grantId })).rejects.toMatchObject({
      code: 'grant_ended',
    });
    await expect(
      workflow.placeEntitlement({
        grantId,
        entryId: entry.id,
        userId: user.actor.userId,
        expiresAt: inAnHour(),
      }),
    ).rejects.toMatchObject({ code: 'grant_ended' });
    const past = await place(entry.id, user.actor.userId, {
      expiresAt: new Date(Date.now() - 1).toISOString(),
    });
    await expect(user.entitlements.deliverCredentials({ grantId: past })).rejects.toMatchObject({
      code: 'grant_expired',
    });
  });

  test('a grant that ended before its placement is never placed', async () => {
    const entry = await newEntry(admin);
    const user = await colleague([]);
    const workflow = bench.workflow(admin.actor.tenantId);
    const late = (grantId: string) =>
      workflow.placeEntitlement({
        grantId,
        entryId: entry.id,
        userId: user.actor.userId,
        expiresAt: inAnHour(),
        oneTime: true,
      });
    const grantId = randomUUID();
    for (let turn = 0; turn < 2; turn += 1) {
      await workflow.removeEntitlement({ grantId, cause: 'revoked' });
      await expect(late(grantId)).rejects.toMatchObject({ code: 'grant_ended' });
      await expect(user.entitlements.deliverCredentials({ grantId })).rejects.toMatchObject({
        reason: 'not_found',
      });
    }
    // Both calls are concurrent, in either order: afterwards no grant is live.
    for (let turn = 0; turn < 10; turn += 1) {
      await Promise.all(
        Array.from({ length: 5 }, async () => {
          const raced = randomUUID();
          await Promise.allSettled([
            late(raced),
            answered(() => workflow.removeEntitlement({ grantId: raced, cause: 'revoked' })),
          ]);
          const deliver = () => user.entitlements.deliverCredentials({ grantId: raced });
          await expect(answered(deliver)).rejects.toMatchObject({
            reason: expect.stringMatching(/not_found|conflict/),
          });
          await expect(answered(() => late(raced))).rejects.toMatchObject({ code: 'grant_ended' });
        }),
      );
    }
    // A grant with the same id in another tenant is another grant.
    const stranger = await bench.as({});
    const foreign = await newEntry(stranger);
    await bench.workflow(stranger.actor.tenantId).placeEntitlement({
      grantId,
      entryId: foreign.id,
      userId: stranger.actor.userId,
      expiresAt: inAnHour(),
    });
    expect((await stranger.entitlements.deliverCredentials({ grantId })).secret).toBe(CANARY);
  });

  test('the end of a grant reports a seen secret that cannot be rotated, and so does a repeated call', async () => {
    const entry = await newEntry(admin);
    const user = await colleague([]);
    const workflow = bench.workflow(admin.actor.tenantId);
    const grantId = await place(entry.id, user.actor.userId, { rotateOnEnd: true });
    const unseen = await place(entry.id, user.actor.userId, { rotateOnEnd: true });
    expect((await workflow.removeEntitlement({ grantId: unseen, cause: 'expired' })).rotation).toBe(
      'not-needed',
    );
    await user.entitlements.deliverCredentials({ grantId });
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await workflow.removeEntitlement({ grantId, cause: 'expired' })).toEqual({
        rotation: 'impossible',
        rotationQueued: false,
      });
    }
    const events = await eventsOf('vault.entitlement.removed', entry.id);
    expect(
      events
        .map(({ details }) => details as { grantId: string; rotation: string })
        .filter((each) => each.grantId === grantId)
        .map((each) => each.rotation),
    ).toEqual(['impossible']);
  });

  test('a repeated placement or end of a grant records no second event; another expiry does', async () => {
    const entry = await newEntry(admin);
    const user = await colleague([]);
    const workflow = bench.workflow(admin.actor.tenantId);
    const grantId = randomUUID();
    const placing = { grantId, entryId: entry.id, userId: user.actor.userId, expiresAt: inAnHour() };
    for (let turn = 0; turn < 3; turn += 1) await workflow.placeEntitlement(placing);
    const expiresAt = new Date(Date.parse(placing.expiresAt) + 60_000).toISOString();
    for (let turn = 0; turn < 2; turn += 1) await workflow.placeEntitlement({ ...placing, expiresAt });
    expect(await eventsOf('vault.entitlement.placed', entry.id)).toMatchObject([
      { details: { grantId, expiresAt: placing.expiresAt } },
      { details: { grantId, expiresAt } },
    ]);
    const neverPlaced = randomUUID();
    for (let turn = 0; turn < 3; turn += 1)
      expect(await workflow.removeEntitlement({ grantId: neverPlaced, cause: 'revoked' })).toEqual({
        rotation: 'not-needed',
        rotationQueued: false,
      });
    expect(await eventsOf('vault.entitlement.removed', neverPlaced)).toHaveLength(1);
  });

  test('a grant that expires during the wait for its lock discloses nothing', async () => {
    const entry = await newEntry(admin, { requiresGrant: true });
    const user = await colleague();
    const grantId = await place(entry.id, user.actor.userId, { oneTime: false });
    // Afterwards both replicas predict the event and decide in one statement.
    await Promise.all(Array.from({ length: 8 }, () => user.entries.retrieveEntry({ entryId: entry.id })));
    await bench.superuser(async (locker) => {
      await locker.query('BEGIN');
      await locker.query('UPDATE entitlements SET delivery_count = delivery_count WHERE grant_id = $1', [
        grantId,
      ]);
      const retrieving = user.entries.retrieveEntry({ entryId: entry.id });
      retrieving.catch(() => {});
      await eventually('a wait for the lock', () => waitsForLock());
      // The grant expires after the transaction that waits for the lock has started.
      await locker.query('UPDATE entitlements SET expires_at = clock_timestamp() WHERE grant_id = $1', [
        grantId,
      ]);
      await locker.query('COMMIT');
      await expect(retrieving).rejects.toMatchObject({ reason: 'denied' });
    });
  });

  test('a grant that expires before the commit discloses nothing, in a retrieval and in a delivery', async () => {
    const user = await colleague();
    for (const disclose of [
      ({ entryId }: { entryId: string; grantId: string }) => user.entries.retrieveEntry({ entryId }),
      ({ grantId }: { entryId: string; grantId: string }) =>
        user.entitlements.deliverCredentials({ grantId }),
    ]) {
      // Repeats if a busy machine delayed one of the steps.
      await eventually('a disclosure that waits until after the end of its grant', async () => {
        const entry = await newEntry(admin, { requiresGrant: true });
        const first = await place(entry.id, user.actor.userId, { oneTime: false });
        await user.entries.retrieveEntry({ entryId: entry.id });
        await bench.workflow(admin.actor.tenantId).removeEntitlement({ grantId: first, cause: 'revoked' });
        return bench.superuser(async (locker) => {
          await locker.query(
            "UPDATE exposures SET last_seen_at = now() - interval '1 hour' WHERE entry_id = $1",
            [entry.id],
          );
          await locker.query('BEGIN');
          await locker.query('SELECT FROM exposures WHERE entry_id = $1 FOR UPDATE', [entry.id]);
          const expiresAt = new Date(Date.now() + 1_000).toISOString();
          const grantId = await place(entry.id, user.actor.userId, { oneTime: false, expiresAt });
          const disclosing = disclose({ entryId: entry.id, grantId });
          const outcome = disclosing.then(
            () => 'disclosed',
            (error: { code?: string }) => error.code,
          );
          const waited = await Promise.race([
            outcome.then(() => false),
            eventually('a wait for the lock', () => waitsForLock()),
          ]);
          await locker.query(
            'SELECT pg_sleep(greatest(0, extract(epoch FROM $1::timestamptz - clock_timestamp())))',
            [expiresAt],
          );
          await locker.query('COMMIT');
          const code = await outcome;
          expect(code).not.toBe('disclosed');
          return waited && (code === 'denied' || code === 'grant_expired');
        });
      });
    }
  });

  test('a retrieval uses up a one-time grant, like a delivery', async () => {
    const entry = await newEntry(admin, { requiresGrant: true });
    const user = await colleague();
    const grantId = await place(entry.id, user.actor.userId);
    expect((await user.entries.retrieveEntry({ entryId: entry.id })).secret).toBe(CANARY);
    await expect(user.entries.retrieveEntry({ entryId: entry.id })).rejects.toMatchObject({
      reason: 'denied',
    });
    await expect(user.entitlements.deliverCredentials({ grantId })).rejects.toMatchObject({
      code: 'already_delivered',
    });
  });

  test('the subject of a request for a resource is its only entry', async () => {
    const { resource } = await admin.resources.createResource({ name: unique('r'), type: 'server' });
    const workflow = bench.workflow(admin.actor.tenantId);
    const entry = await newEntry(admin, { resourceId: resource!.id, username: 'root' });
    expect(await workflow.describeSubject({ resourceId: resource!.id })).toMatchObject({
      entryId: entry.id,
      username: 'root',
      resourceName: resource!.name,
    });
    await newEntry(admin, { resourceId: resource!.id });
    await expect(workflow.describeSubject({ resourceId: resource!.id })).rejects.toMatchObject({
      reason: 'invalid',
      fields: [{ pointer: '/entryId' }],
    });
    await expect(bench.workflow(randomUUID()).describeSubject({ entryId: entry.id })).rejects.toMatchObject({
      reason: 'not_found',
    });
  });
});

describe('stored data', () => {
  const flip = (column: string) => `set_byte(${column}, 5, get_byte(${column}, 5) # 1)`;
  test.each([
    ['ciphertext', flip('ciphertext')],
    ['iv', flip('iv')],
    ['tag', flip('tag')],
    ['H-126 tag cut to 12 bytes', 'substr(tag, 1, 12)', 'tag'],
    ['H-126 tag cut to 4 bytes', 'substr(tag, 1, 4)', 'tag'],
    ['H-126 iv of one byte', "'\\x01'", 'iv'],
    ['H-126 ciphertext of no bytes', "''", 'ciphertext'],
    ['wrapped_cek', flip('wrapped_cek')],
    ['commitment', flip('commitment')],
    ['blob_sha256', flip('blob_sha256')],
    ['cek_id', 'gen_random_uuid()'],
    ['kek_id', 'gen_random_uuid()'],
  ])(
    '%s changed: an integrity error, an event, and other entries still decrypt',
    async (what, change, column = what) => {
      const entry = await newEntry(admin);
      await bench.superuser(async (client) => {
        await client.query("SET session_replication_role = 'replica'");
        await client.query(`UPDATE entry_versions SET ${column} = ${change} WHERE entry_id = $1`, [entry.id]);
      });
      await expect(admin.entries.retrieveEntry({ entryId: entry.id })).rejects.toMatchObject({
        reason: 'integrity_error',
      });
      expect(await eventsOf('vault.entry.retrieved', entry.id)).toMatchObject([
        { outcome: 'allowed' },
        { outcome: 'failed', reason: 'integrity_error' },
      ]);
      const other = await newEntry(admin);
      expect((await admin.entries.retrieveEntry({ entryId: other.id })).secret).toBe(CANARY);
    },
  );

  test('an encrypted version that was moved to another entry does not decrypt there', async () => {
    const [from, to] = [await newEntry(admin), await newEntry(admin)];
    await bench.superuser(async (client) => {
      await client.query("SET session_replication_role = 'replica'");
      await client.query('DELETE FROM entry_versions WHERE entry_id = $1', [to.id]);
      await client.query('UPDATE entry_versions SET entry_id = $1 WHERE entry_id = $2', [to.id, from.id]);
    });
    await expect(admin.entries.retrieveEntry({ entryId: to.id })).rejects.toMatchObject({
      reason: 'integrity_error',
    });
  });

  test('cannot be changed by an ordinary write; neither rows nor log contain a plain secret', async () => {
    const entry = await newEntry(admin);
    await expect(
      bench.superuser((client) =>
        client.query("UPDATE entry_versions SET iv = '\\x00' WHERE entry_id = $1", [entry.id]),
      ),
    ).rejects.toThrow(/never changes/);
    const tables = await bench.superuser(async (client) => {
      const { rows } = await client.query<{ text: string }>(
        `SELECT query_to_xml(format('SELECT * FROM vault.%I', tablename), true, false, '')::text AS text
           FROM pg_tables WHERE schemaname = 'vault'`,
      );
      return rows.map((row) => row.text).join('\n');
    });
    expect(tables).toContain(entry.id);
    for (const form of [CANARY, 'canary-5f1d', Buffer.from('canary-5f1d').toString('base64').slice(0, 14)]) {
      expect(tables).not.toContain(form);
      expect(bench.log()).not.toContain(form);
    }
  });
});

test('without full access to a secret an actor cannot change the host that it is sent to', async () => {
  const { resource } = await admin.resources.createResource({
    name: unique('r'),
    type: 'server',
    host: 'db.example',
  });
  const resourceId = resource!.id;
  const entry = await newEntry(admin, { resourceId, username: 'root' });
  const keeper = await colleague([
    'resources.*',
    'vault.entries.read',
    'vault.entries.create',
    'vault.entries.rotate',
  ]);
  const refused = { reason: 'denied', code: 'secrets_not_visible' };
  const { update, create } = {
    update: (change: object) => keeper.resources.updateResource({ resourceId, ...change }),
    create: (more: object) =>
      keeper.resources.createResource({ name: unique('own'), type: 'server', host: 'mine.example', ...more }),
  };
  await expect(update({ host: 'mine.example' })).rejects.toMatchObject(refused);
  await expect(update({ port: 2222 })).rejects.toMatchObject(refused);
  await expect(update({ settings: { hostKeys: ['SHA256:mine'] } })).rejects.toMatchObject(refused);
  await expect(create({ adminEntryId: entry.id })).rejects.toMatchObject(refused);
  const own = (await create({})).resource!;
  await expect(
    keeper.resources.updateResource({ resourceId: own.id, adminEntryId: entry.id }),
  ).rejects.toMatchObject(refused);
  // A change that keeps the host is allowed; another host requires full access to the secrets sent to it.
  await update({ description: 'kept well', host: 'db.example', port: 0 });
  const theirs = await newEntry(keeper, { resourceId: own.id, username: 'app' });
  await keeper.resources.updateResource({
    resourceId: own.id,
    host: 'moved.example',
    adminEntryId: theirs.id,
  });
  for (const access of ['view', 'modify']) {
    await admin.entries.putShare({ entryId: entry.id, userId: keeper.actor.userId, access });
    await expect(update({ host: 'moved.example' })).rejects.toMatchObject(refused);
  }
  await admin.entries.putShare({ entryId: entry.id, userId: keeper.actor.userId, access: 'manage' });
  await update({ host: 'moved.example' });
  await admin.entries.updateEntry({ entryId: entry.id, requiresGrant: true });
  await expect(update({ host: 'mine.example' })).rejects.toMatchObject(refused);
  await admin.resources.updateResource({ resourceId, host: 'again.example' });
});

test('without full access to the secrets an actor cannot change where a module sends them', async () => {
  const reach = { allowedCidrs: ['127.0.0.0/8'], allowedPorts: [443] };
  const me = {
    method: 'GET',
    path: '/api/me',
    basicAuth: { username: '{username}', password: '{password}' },
    accepted: { status: [200] },
  };
  const change = {
    ...me,
    method: 'POST',
    path: '/api/users/{username}/password',
    body: { type: 'json', value: { password: '{newPassword}' } },
  };
  const { module } = await admin.modules.createModule({
    name: unique('api'),
    type: 'http',
    config: { ...reach, verify: me, rotate: change },
  });
  const moduleId = module!.id;
  const { resource } = await admin.resources.createResource({
    name: unique('r'),
    type: 'server',
    moduleId,
    host: '127.0.0.1',
  });
  const entry = await newEntry(admin, { resourceId: resource!.id, username: 'app' });
  const keeper = await colleague(['modules.*']);
  const refused = { reason: 'denied', code: 'secrets_not_visible' };
  const pasted = {
    method: 'POST',
    path: '/public/pastes',
    body: { type: 'json', value: { text: '{username} {password}' } },
    accepted: { status: [201] },
  };
  const patch = (config: object) => keeper.modules.patchModule({ moduleId, config });
  await expect(patch({ ...reach, verify: pasted, rotate: change })).rejects.toMatchObject(refused);
  await expect(patch({ ...reach, verify: me, rotate: change, port: 8443 })).rejects.toMatchObject(refused);
  await expect(
    keeper.modules.updateModule({
      moduleId,
      name: unique('api'),
      config: { ...reach, verify: me, rotate: change, tls: { mode: 'disable' } },
    }),
  ).rejects.toMatchObject(refused);
  // A change of the allowed addresses moves no secret. With access to all secrets every change is allowed.
  await patch({ ...reach, allowedPorts: [443, 8443], verify: me, rotate: change });
  await admin.entries.putShare({ entryId: entry.id, userId: keeper.actor.userId, access: 'manage' });
  await patch({ ...reach, verify: me, rotate: change, port: 8443 });
});

test('a connector checks the configuration of a module, and a module in use cannot be deleted', async () => {
  const { module } = await admin.modules.createModule({
    name: unique('pg'),
    type: 'postgres',
    config: {
      allowedCidrs: ['127.0.0.0/8'],
      allowedPorts: [{ from: 1024, to: 65535 }],
      tls: { mode: 'disable' },
    },
  });
  expect(module).toMatchObject({ enabled: true, status: 'untested' });
  for (const config of [
    { allowedCidrs: ['everything'] },
    { allowedPorts: [0] },
    { tls: { mode: 'prefer' } },
    { host: 'x' },
    { password: 'x' },
  ]) {
    await expect(
      admin.modules.createModule({ name: unique('m'), type: 'postgres', config }),
    ).rejects.toMatchObject({ reason: 'invalid' });
  }
  await expect(admin.modules.createModule({ name: unique('m'), type: 'telnet' })).rejects.toMatchObject({
    reason: 'invalid',
  });
  for (const host of ['-oProxyCommand=x', '$(id)', 'a b', '']) {
    await expect(
      admin.resources.createResource({ name: unique('r'), type: 'database', moduleId: module!.id, host }),
    ).rejects.toMatchObject({ reason: 'invalid', fields: [{ pointer: '/host' }] });
  }
  const { resource } = await admin.resources.createResource({
    name: unique('r'),
    type: 'database',
    moduleId: module!.id,
    host: '127.0.0.1',
    port: 1,
  });
  expect(resource).toMatchObject({ moduleType: 'postgres' });
  await expect(admin.modules.deleteModule({ moduleId: module!.id })).rejects.toMatchObject({
    code: 'in_use',
  });
  const entry = await newEntry(admin, { resourceId: resource!.id, username: 'app' });
  // A port that the module does not list is never reached.
  expect(await admin.modules.testModule({ moduleId: module!.id })).toMatchObject({ ok: false });
  expect((await admin.modules.getModule({ moduleId: module!.id })).module).toMatchObject({
    status: 'failing',
  });
  await admin.modules.patchModule({ moduleId: module!.id, enabled: false });
  await expect(admin.entries.rotateEntry({ entryId: entry.id })).rejects.toMatchObject({
    code: 'module_disabled',
  });
  await expect(admin.entries.verifyEntry({ entryId: entry.id })).rejects.toMatchObject({
    code: 'module_disabled',
  });
  const note = await newEntry(admin, { type: 'note' });
  await expect(admin.entries.rotateEntry({ entryId: note.id })).rejects.toMatchObject({
    code: 'not_rotatable',
  });
});
