import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { accountKey } from '@claviger/connectors';
import { createDatabase, migrate } from '@claviger/database';
import type { Actor } from '@claviger/service-kit';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { codeOf, type RightsBench, startRights } from '../../rights-support.ts';
import { takeProbe } from '../accounts/probe-budget.ts';
import { migrations } from '../migrate-vault.ts';
import { runRotation } from '../rotation/run-rotation.ts';
import type { VaultSchema } from '../schema.ts';

let bench: RightsBench;
let tenantId: string;
let owner: Actor;
let other: Actor;
let administrator: Actor;
beforeAll(async () => {
  bench = await startRights({
    rotation: { leaseSeconds: 600, settleSeconds: 0, changeTimeoutMs: 60_000, verifyTimeoutMs: 60_000 },
  });
});
afterAll(() => bench?.[Symbol.asyncDispose]());
beforeEach(() => {
  tenantId = randomUUID();
  [owner, other] = [bench.person(tenantId, OPERATOR), bench.person(tenantId, OPERATOR)];
  administrator = bench.person(tenantId, ['*']);
  bench.protection.status = 'pending';
});

const OPERATOR = ['resources.*', 'modules.*', 'vault.entries.*', 'vault.shares.*'].flatMap((permission) =>
  permission === 'vault.entries.*'
    ? ['read', 'create', 'update', 'delete', 'rotate', 'retrieve'].map((name) => `vault.entries.${name}`)
    : [permission],
);
interface Entry {
  id: string;
  unproven: boolean;
  requiresGrant: boolean;
  requiresReason: boolean;
  ownerId: string;
}
const entries = async (name: string, actor: Actor, fields: object) =>
  (await bench.call(`/claviger.vault.v1.EntriesService/${name}`, actor, fields)) as { entry: Entry };
const resources = (name: string, actor: Actor, fields: object) =>
  bench.call(`/claviger.vault.v1.ResourcesService/${name}`, actor, fields) as Promise<{
    resource: { id: string };
  }>;
const entitlements = (name: string, actor: Actor, fields: object) =>
  bench.call(`/claviger.vault.v1.EntitlementsService/${name}`, actor, fields);
const unique = (name: string) => `${name}-${randomUUID().slice(0, 8)}`;

async function resourceOf(actor: Actor, more: object = {}): Promise<string> {
  const { resource } = await resources('CreateResource', actor, {
    name: unique('host'),
    type: 'server',
    ...more,
  });
  return resource.id;
}
async function moduleId(): Promise<string> {
  const { module } = (await bench.call('/claviger.vault.v1.ModulesService/CreateModule', owner, {
    name: unique('postgres'),
    type: 'postgres',
    config: { allowedCidrs: ['127.0.0.0/8'], allowedPorts: [5432], tls: { mode: 'disable' } },
  })) as { module: { id: string } };
  return module.id;
}
const account = async (actor: Actor, resourceId: string, more: object = {}): Promise<Entry> =>
  (
    await entries('CreateEntry', actor, {
      name: unique('entry'),
      username: unique('app'),
      secret: 'planted',
      resourceId,
      ...more,
    })
  ).entry;

async function grant(entryId: string, grantee: Actor): Promise<string> {
  const grantId = randomUUID();
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  await entitlements('PlaceEntitlement', owner, { grantId, entryId, userId: grantee.userId, expiresAt });
  return grantId;
}

test('only an owner of its resource creates an account that starts proven', async () => {
  const adminEntry = (
    await entries('CreateEntry', owner, { name: unique('admin'), username: 'root', secret: 's' })
  ).entry;
  const resourceId = await resourceOf(owner, { adminEntryId: adminEntry.id });
  expect(await account(owner, resourceId)).toMatchObject({ unproven: false });
  expect(await account(administrator, resourceId)).toMatchObject({ unproven: false });
  expect(await account(other, resourceId)).toMatchObject({ unproven: true });
  for (const access of ['view', 'modify', 'manage']) {
    await entries('PutShare', owner, { entryId: adminEntry.id, userId: other.userId, access });
    expect(await account(other, resourceId)).toMatchObject({ unproven: access !== 'manage' });
  }
  // Connectors cannot log in with a note, so it is no account.
  expect(await account(bench.person(tenantId, OPERATOR), resourceId, { type: 'note' })).toMatchObject({
    unproven: false,
  });
});

test('another resource for a host does not make its owner an owner of the accounts', async () => {
  const address = { moduleId: await moduleId(), host: '127.0.0.1', port: 5432 };
  await account(owner, await resourceOf(owner, address));
  const spelt = await resourceOf(other, { ...address, host: '::ffff:127.0.0.1' });
  const planted = await account(other, spelt);
  expect(planted.unproven).toBe(true);
  const accept = (actor: Actor) => codeOf(entries('AcceptAccount', actor, { entryId: planted.id }));
  expect(await accept(other)).toBe('not_resource_owner');
  expect(await accept(administrator)).toBe('ok');
});

test('an unproven account is not rotated, is no admin entry, and only its owner’s grant discloses it', async () => {
  const resourceId = await resourceOf(owner, { moduleId: await moduleId(), host: '127.0.0.1', port: 5432 });
  const { id: entryId } = await account(other, resourceId);
  expect(await codeOf(entries('RotateEntry', other, { entryId, reason: 'why' }))).toBe('unproven');
  expect(
    await codeOf(resources('CreateResource', other, { name: unique('r'), type: 't', adminEntryId: entryId })),
  ).toBe('invalid');
  expect(await codeOf(entitlements('DescribeSubject', other, { entryId }))).toBe('unproven');
  const grantee = bench.person(tenantId, ['vault.entries.retrieve']);
  const grantId = await grant(entryId, grantee);
  const ways = (actor: Actor, id: string) => [
    codeOf(entries('RetrieveEntry', actor, { entryId })),
    codeOf(entitlements('DeliverCredentials', actor, { grantId: id })),
  ];
  expect(await Promise.all(ways(grantee, grantId))).toEqual(['unproven', 'unproven']);
  expect(await Promise.all(ways(other, await grant(entryId, other)))).toEqual(['ok', 'ok']);
  await entries('AcceptAccount', owner, { entryId });
  expect(await Promise.all(ways(grantee, grantId))).toEqual(['ok', 'ok']);
});

test('an unproven account starts with the protection of its resource’s policy and other accounts', async () => {
  const free = await resourceOf(owner);
  expect(await account(other, free)).toMatchObject({ requiresGrant: false, requiresReason: false });
  await account(owner, free, { requiresReason: true });
  expect(await account(other, free)).toMatchObject({ requiresGrant: false, requiresReason: true });
  await account(owner, free, { requiresGrant: true });
  expect(await account(other, free)).toMatchObject({ requiresGrant: true });
  expect(await account(owner, free)).toMatchObject({ requiresGrant: false });

  const withPolicy = await resourceOf(owner);
  bench.protection.policies.add(withPolicy);
  expect(await account(other, withPolicy)).toMatchObject({ requiresGrant: true });
  // An outage of workflow leads to more protection, never to less.
  bench.protection.status = 'away';
  expect(await account(other, await resourceOf(owner))).toMatchObject({ requiresGrant: true });
});

test('a new account name must be proven, unless an owner of the resource sets it', async () => {
  const resourceId = await resourceOf(owner);
  const { id: entryId } = await account(owner, resourceId);
  await entries('PutShare', owner, { entryId, userId: other.userId, access: 'manage' });
  const rename = async (actor: Actor, username: string) =>
    (await entries('UpdateEntry', actor, { entryId, username })).entry.unproven;
  expect(await rename(owner, 'root')).toBe(false);
  expect(await rename(other, 'root')).toBe(false);
  expect(await rename(other, 'toor')).toBe(true);
  expect(await rename(owner, 'root')).toBe(true);
});

test('the acceptor of an account owns it; its former owner and shares lose their access', async () => {
  const resourceId = await resourceOf(owner);
  const accomplice = bench.person(tenantId, OPERATOR);
  const { id: entryId } = await account(other, resourceId);
  await entries('PutShare', other, { entryId, userId: accomplice.userId, access: 'manage' });
  for (const actor of [other, accomplice])
    expect(await codeOf(entries('AcceptAccount', actor, { entryId }))).toBe('not_resource_owner');
  expect((await entries('AcceptAccount', owner, { entryId })).entry).toMatchObject({
    unproven: false,
    ownerId: owner.userId,
  });
  for (const actor of [other, accomplice])
    expect(await codeOf(entries('RetrieveEntry', actor, { entryId }))).toBe('denied');
  expect(await codeOf(entries('RetrieveEntry', owner, { entryId }))).toBe('ok');
  expect(await codeOf(entries('AcceptAccount', owner, { entryId }))).toBe('already_proven');
});

test('the use of an admin entry requires modify access to it, or ownership of the resource', async () => {
  const adminEntryId = (
    await entries('CreateEntry', owner, { name: unique('admin'), username: 'root', secret: 's' })
  ).entry.id;
  const resourceId = await resourceOf(owner, {
    moduleId: await moduleId(),
    host: '127.0.0.1',
    port: 5432,
    adminEntryId,
    settings: { rotateAs: 'admin' },
  });
  const { id: entryId } = await account(owner, resourceId);
  await entries('PutShare', owner, { entryId, userId: other.userId, access: 'manage' });
  const attempts = async () => [
    await codeOf(entries('RotateEntry', other, { entryId, reason: 'why' })),
    await codeOf(entries('PutRotationSchedule', other, { entryId, intervalHours: 1 })),
    await codeOf(account(other, resourceId, { rotationIntervalHours: 1 })),
  ];
  // With a spent budget, an allowed call is refused before it reaches the target.
  const login = accountKey('postgres', { host: '127.0.0.1', port: 5432, tls: { mode: 'disable' } }, 'root')!;
  for (let probe = 0; probe < 2; probe += 1) await takeProbe(bench.deps, tenantId, login);
  const discover = () => codeOf(resources('DiscoverAccounts', other, { resourceId }));
  const denied = 'insufficient_access';
  expect(await attempts()).toEqual([denied, denied, denied]);
  expect(await discover()).toBe(denied);
  await entries('PutShare', owner, { entryId: adminEntryId, userId: other.userId, access: 'view' });
  expect(await attempts()).toEqual([denied, denied, denied]);
  expect(await discover()).toBe('probe_budget_spent');
  await entries('PutShare', owner, { entryId: adminEntryId, userId: other.userId, access: 'modify' });
  expect(await attempts()).toEqual(['ok', 'ok', 'ok']);
});

test('a rotation resets the probe budget of the account that it changed, not of the one named afterwards', async () => {
  const resourceId = await resourceOf(owner, { moduleId: await moduleId(), host: 'one.example', port: 5432 });
  const username = unique('app');
  const { id: entryId } = await account(owner, resourceId, { username });
  const at = (host: string) =>
    accountKey('postgres', { host, port: 5432, tls: { mode: 'disable' } }, username)!;
  const spent = async (host: string) => (await takeProbe(bench.deps, tenantId, at(host))) !== undefined;
  for (const host of ['one.example', 'two.example'])
    expect([await spent(host), await spent(host)]).toEqual([false, false]);
  await bench.deps.database.withTenant(tenantId, (tx) =>
    tx
      .updateTable('accounts')
      .set({ probes: 0 })
      .where('target_key', '=', at('one.example').target)
      .execute(),
  );
  bench.targets.set(tenantId, {
    rotate: async () => {
      await resources('UpdateResource', owner, { resourceId, host: 'two.example' });
      return { outcome: 'applied' };
    },
    verify: async () => ({ outcome: 'accepted' }),
  });
  const { rotation } = (await entries('RotateEntry', owner, { entryId, reason: 'why' })) as unknown as {
    rotation: { id: string };
  };
  await runRotation(bench.deps, tenantId, rotation.id, new AbortController().signal);
  expect(await entries('GetEntry', owner, { entryId })).toMatchObject({ entry: { currentVersion: 2 } });
  expect([await spent('one.example'), await spent('two.example')]).toEqual([false, true]);
});

const ROTATION_FILES = ['rotation/run-rotation.ts', 'rotation/rotation-step.ts'];

test('every file that reaches a target checks the access to the account and counts the login first', () => {
  const source = join(import.meta.dirname, '..');
  const reaching = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => ({ file, text: readFileSync(join(source, file), 'utf8') }))
    .filter(({ text }) => /connectorOf\(deps|connectors\.connector\(/.test(text))
    .filter(({ file }) => file !== 'targets/connector-of.ts');
  expect(reaching.map(({ file }) => file)).toContain('entries/verify-entry.ts');
  for (const { file, text } of reaching) {
    expect({ file, counts: /spendProbe\(|countLogin\(|takeProbe\(/.test(text) }).toEqual({
      file,
      counts: true,
    });
    // The code that queues a rotation checks the access.
    const checks = /requireAccess\(|requireAccountUse\(/.test(text) || ROTATION_FILES.includes(file);
    expect({ file, checks }).toEqual({ file, checks: true });
  }
});

test('only an owner of a resource sets its admin entry, or the address of a resource without accounts', async () => {
  const resourceId = await resourceOf(owner);
  const mine = (await entries('CreateEntry', other, { name: unique('admin'), username: 'root', secret: 's' }))
    .entry.id;
  const change = (actor: Actor, fields: object) =>
    codeOf(resources('UpdateResource', actor, { resourceId, ...fields }));
  expect(await change(other, { adminEntryId: mine })).toBe('not_resource_owner');
  expect(await change(other, { host: 'host.of.mine' })).toBe('not_resource_owner');
  expect(await change(other, { description: 'for all' })).toBe('ok');
  expect(await change(owner, { host: 'new.example' })).toBe('ok');
});

test('the migration marks a password on another owner’s resource as unproven if it was never verified or rotated', async () => {
  const first = migrations.findIndex(({ name }) => name.startsWith('0011-'));
  const schema = await bench.scratch.createSchema();
  await migrate(schema, migrations.slice(0, first));
  const [resource, mine, theirs] = [randomUUID(), randomUUID(), randomUUID()];
  const database = createDatabase<VaultSchema>(schema);
  await database.withTenant(tenantId, async (tx) => {
    await sql`INSERT INTO assets (tenant_id, id, name, type, created_by, owner_id)
      VALUES (${tenantId}, ${resource}, 'r', 't', 'x', ${mine})`.execute(tx);
    for (const [name, type, ownerId, verifiedAt] of [
      ['planted', 'password', theirs, null],
      ['verified', 'password', theirs, new Date()],
      ['owned', 'password', mine, null],
      ['key', 'ssh-key', theirs, null],
    ] as const) {
      await sql`INSERT INTO entries (tenant_id, id, asset_id, name, type, username, current_version, created_by, owner_id,
        last_verified_at) VALUES (${tenantId}, ${randomUUID()}, ${resource}, ${name}, ${type}, 'root', 1, 'x', ${ownerId},
        ${verifiedAt})`.execute(tx);
    }
  });
  await migrate(schema, migrations);
  const unproven = await database.readTenant(tenantId, (reader) =>
    reader.selectFrom('entries').select('name').where('unproven', '=', true).execute(),
  );
  expect(unproven).toEqual([{ name: 'planted' }]);
  await database.close();
});
