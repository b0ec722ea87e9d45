import { randomUUID } from 'node:crypto';
import { type PostgresTarget, startPostgresTarget } from '@claviger/targets';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, type Person, startVault, type VaultBench } from '../../test-support.ts';

let bench: VaultBench;
let admin: Person;
let postgres: PostgresTarget;
let moduleId: string;

beforeAll(async () => {
  [bench, postgres] = await Promise.all([
    startVault({ services: ['vault', 'auth'], replicas: { vault: 2 } }),
    startPostgresTarget(),
  ]);
  await bench.openPorts(postgres.port);
  admin = await bench.as({ userName: 'admin' });
  const { module } = await admin.modules.createModule({
    name: 'postgres',
    type: 'postgres',
    config: { allowedCidrs: ['127.0.0.0/8'], allowedPorts: [postgres.port], tls: { mode: 'disable' } },
  });
  moduleId = module!.id;
});
afterAll(async () => {
  await Promise.all([postgres?.stop(), bench?.[Symbol.asyncDispose]()]);
});

const colleague = (userName = 'leaver') =>
  bench.as({
    tenantId: admin.actor.tenantId,
    userName,
    permissions: new Set(['vault.entries.retrieve', 'vault.entries.read']),
  });
const unique = (name: string) => `${name}-${randomUUID().slice(0, 8)}`;

async function note(who = admin): Promise<string> {
  const { entry } = await who.entries.createEntry({ name: unique('note'), type: 'note', secret: 'n' });
  return entry!.id;
}

interface Account {
  readonly entryId: string;
  readonly username: string;
  readonly first: string;
}

/** An account on the target. Only the administrator who stored its secret knows it. */
async function account(): Promise<Account> {
  const username = unique('app').replace('-', '_');
  const first = `First-${randomUUID()}`;
  await postgres.createRole(username, first);
  const { resource } = await admin.resources.createResource({
    name: username,
    type: 'database',
    moduleId,
    host: '127.0.0.1',
    port: postgres.port,
  });
  const { entry } = await admin.entries.createEntry({
    name: username,
    username,
    secret: first,
    resourceId: resource!.id,
  });
  return { entryId: entry!.id, username, first };
}

/** Retrieves the secret under a share. */
async function see(who: Person, entryId: string): Promise<string> {
  await admin.entries.putShare({ entryId, userId: who.actor.userId, access: 'view' });
  return (await who.entries.retrieveEntry({ entryId })).secret;
}

async function underGrant(who: Person, entryId: string): Promise<string> {
  const grantId = randomUUID();
  await bench.workflow(admin.actor.tenantId).placeEntitlement({
    grantId,
    entryId,
    userId: who.actor.userId,
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    oneTime: true,
    rotateOnEnd: false,
  });
  await who.entitlements.deliverCredentials({ grantId });
  return grantId;
}

const exposureOf = (who: Person, more: object = {}) =>
  admin.exposure.getUserExposure({ userId: who.actor.userId, ...more });
const rotate = (who: Person, more: object = {}) =>
  admin.exposure.rotateUserExposure({ userId: who.actor.userId, reason: 'has left', ...more });
const rotationsOf = async (entryId: string) =>
  (await admin.entries.listRotations({ entryId, pageSize: 100 })).items;

test('the ledger keeps every path of an exposure: grants, share, emergency, recovery and setting the secret', async () => {
  const person = await colleague();
  const entryId = await note();
  const [first, second] = [await underGrant(person, entryId), await underGrant(person, entryId)];
  await see(person, entryId);
  await see(person, entryId);
  const sessionId = randomUUID();
  const other = await colleague('responder');
  await bench.emergency(admin.actor.tenantId).placeEmergencySession({
    sessionId,
    userId: other.actor.userId,
    entryIds: [entryId],
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
  });
  await other.entries.retrieveEntry({ entryId, reason: 'fire' });
  await admin.entries.recoverCandidates({ entryId, reason: 'look' });

  const { items, totalItems } = await admin.exposure.getEntryExposure({
    entryId,
    sortBy: 'userName',
    sortOrder: 'asc',
  });
  expect(totalItems).toBe(3);
  expect(items.map((item) => [item.userName, item.version, item.current])).toEqual([
    ['admin', 1, true],
    ['leaver', 1, true],
    ['responder', 1, true],
  ]);
  const ways = items.map((item) => item.paths.map(({ kind, grantId }) => [kind, grantId]));
  expect(ways).toEqual([
    [
      ['set', ''],
      ['recovery', ''],
    ],
    [
      ['grant', first],
      ['grant', second],
      ['share', ''],
    ],
    [['emergency', sessionId]],
  ]);
  expect(items[1]).toMatchObject({ times: 3, rotation: 'not-rotatable', userId: person.actor.userId });
  await expect(admin.exposure.getEntryExposure({ entryId: randomUUID() })).rejects.toMatchObject({
    reason: 'not_found',
  });
});

test('typing a secret is an exposure, generating it is not, and a new version is a new exposure', async () => {
  const [author, next] = [
    await bench.as({ tenantId: admin.actor.tenantId }),
    await bench.as({ tenantId: admin.actor.tenantId }),
  ];
  const entryId = await note(author);
  await author.entries.createEntry({ name: unique('generated'), generate: true });
  expect(await exposureOf(author)).toMatchObject({
    currentSecrets: 1,
    items: [{ entryId, version: 1, current: true, paths: [{ kind: 'set' }] }],
  });
  await next.entries.updateEntry({ entryId, secret: 'another' });
  expect(await exposureOf(author)).toMatchObject({ currentSecrets: 0, items: [] });
  expect((await exposureOf(author, { past: true })).items).toMatchObject([
    { entryId, version: 1, current: false, rotation: 'done' },
  ]);
  expect((await exposureOf(next)).items).toMatchObject([{ entryId, version: 2, current: true }]);
  // There was no disclosure: setting a secret does not count as one.
  expect((await admin.entries.listEntryVersions({ entryId })).items.map((v) => v.seenByCount)).toEqual([
    0, 0,
  ]);
});

test('a list can be searched, sorted and paged, and another tenant does not see it', async () => {
  const person = await colleague();
  const ids: string[] = [];
  for (let n = 0; n < 5; n += 1) {
    const entryId = await note();
    await see(person, entryId);
    ids.push(entryId);
  }
  expect((await exposureOf(person)).items.map((item) => item.entryId)).toEqual(ids.toReversed());
  const seen: string[] = [];
  let cursor = '';
  do {
    const page = await exposureOf(person, { pageSize: 2, sortBy: 'firstSeenAt', sortOrder: 'asc', cursor });
    expect(page).toMatchObject({ totalItems: 5, currentSecrets: 5 });
    seen.push(...page.items.map((item) => item.entryId));
    cursor = page.nextCursor ?? '';
  } while (cursor);
  expect(seen).toEqual(ids);
  const { entry } = await admin.entries.getEntry({ entryId: ids[2]! });
  expect(await exposureOf(person, { search: entry!.name })).toMatchObject({
    totalItems: 1,
    currentSecrets: 5,
  });
  await admin.entries.deleteEntry({ entryId: ids[0]! });
  expect((await exposureOf(person)).currentSecrets).toBe(4);

  const stranger = await bench.as({});
  // The same user id in another tenant.
  const namesake = await bench.as({ tenantId: stranger.actor.tenantId, userId: person.actor.userId });
  const theirs = await note(namesake);
  const { items } = await stranger.exposure.getUserExposure({ userId: person.actor.userId });
  expect(items.map((item) => item.entryId)).toEqual([theirs]);
  expect(
    await stranger.exposure.rotateUserExposure({
      userId: person.actor.userId,
      reason: 'x',
      entryIds: [ids[1]!],
    }),
  ).toMatchObject({ queued: 0, alreadyQueued: 0, impossible: [] });
  await expect(stranger.exposure.getEntryExposure({ entryId: ids[1]! })).rejects.toMatchObject({
    reason: 'not_found',
  });
});

test('one call rotates all secrets that a leaver has seen: the target refuses them, and the list is empty', async () => {
  const leaver = await colleague();
  const [one, two, three] = [await account(), await account(), await account()];
  const onPaper = await note();
  for (const { entryId } of [one, two, three]) await see(leaver, entryId);
  await see(leaver, onPaper);
  expect((await exposureOf(leaver)).items.map((item) => item.rotation).sort()).toEqual([
    'not-rotatable',
    'possible',
    'possible',
    'possible',
  ]);
  expect(await rotate(leaver, { entryIds: [one.entryId, randomUUID()] })).toMatchObject({
    queued: 1,
    alreadyQueued: 0,
    impossible: [],
    rotatedEntryIds: [one.entryId],
  });
  const all = await rotate(leaver);
  expect(all.impossible).toMatchObject([
    { entryId: onPaper, reason: expect.stringContaining('not an account') },
  ]);
  expect(all.queued).toBe(2);
  await eventually('a list of only secrets that no connector can rotate', async () => {
    const { items } = await exposureOf(leaver);
    return items.length === 1 && items[0]!.entryId === onPaper;
  });
  for (const { entryId, username, first } of [one, two, three]) {
    const { secret } = await admin.entries.retrieveEntry({ entryId });
    expect(await postgres.accepts(username, secret)).toBe(true);
    expect(await postgres.accepts(username, first)).toBe(false);
    expect((await rotationsOf(entryId)).map(({ trigger }) => trigger)).toEqual(['exposure']);
  }
  expect(await rotate(leaver)).toMatchObject({ queued: 0, alreadyQueued: 0 });
  const events = await bench.superuser(async (client) => {
    const { rows } = await client.query<{ payload: string }>(
      `SELECT payload FROM outbox WHERE subject = 'audit.vault' AND payload LIKE '%vault.exposure.rotation-queued%' AND payload LIKE $1 ORDER BY created_at`,
      [`%${leaver.actor.userId}%`],
    );
    return rows.map((row) => JSON.parse(row.payload) as { details: object });
  });
  expect(events.map((event) => event.details)).toMatchObject([
    { queued: 1, impossible: 0 },
    { queued: 2, impossible: 1 },
    { queued: 0, impossible: 1 },
  ]);
});

test('concurrent calls queue each secret once, while it is disclosed to the same person', async () => {
  const leaver = await colleague();
  const accounts = await Promise.all(Array.from({ length: 3 }, account));
  for (const { entryId } of accounts) await see(leaver, entryId);
  const answers = await Promise.all([
    ...Array.from({ length: 8 }, () => rotate(leaver)),
    ...accounts.flatMap(({ entryId }) =>
      Array.from({ length: 4 }, () => leaver.entries.retrieveEntry({ entryId }).then(() => undefined)),
    ),
  ]);
  const queued = answers.reduce((sum, answer) => sum + (answer?.queued ?? 0), 0);
  expect(queued).toBeGreaterThanOrEqual(accounts.length);
  // A disclosure during the rotation exposes the new version: repeat until nothing that the person has seen
  // is in use.
  for (const entry of accounts)
    await admin.entries.deleteShare({ entryId: entry.entryId, userId: leaver.actor.userId });
  await eventually('an empty list', async () => {
    await rotate(leaver);
    return (await exposureOf(leaver)).currentSecrets === 0;
  });
  for (const { entryId, username } of accounts) {
    const versions = (await admin.entries.listEntryVersions({ entryId, pageSize: 100 })).items;
    const rotations = await rotationsOf(entryId);
    expect(rotations.every(({ state }) => state === 'verified')).toBe(true);
    // No rotations in parallel: each replaced a version that the person had seen.
    expect(rotations.length).toBe(versions.length - 1);
    const { secret } = await admin.entries.retrieveEntry({ entryId });
    expect(await postgres.accepts(username, secret)).toBe(true);
  }
});

test('an entry that cannot be rotated has a reason, and no schedule delays a queued rotation', async () => {
  const leaver = await colleague();
  const { entryId } = await account();
  await see(leaver, entryId);
  await admin.modules.patchModule({ moduleId, enabled: false });
  try {
    expect(await rotate(leaver)).toMatchObject({
      queued: 0,
      impossible: [{ entryId, reason: expect.stringContaining('disabled') }],
    });
    expect((await exposureOf(leaver)).items).toMatchObject([{ rotation: 'by-hand' }]);
  } finally {
    await admin.modules.patchModule({ moduleId, enabled: true });
  }
  expect(await rotate(leaver)).toMatchObject({ queued: 1, impossible: [] });
  await admin.entries.putRotationSchedule({ entryId, intervalHours: 720 });
  await eventually('an empty list', async () => (await exposureOf(leaver)).currentSecrets === 0);
});

test('an account that the leaver changed is an obstacle only if no admin entry can set its secret', async () => {
  const leaver = await colleague();
  const { entryId, username } = await account();
  await see(leaver, entryId);
  const theirs = `Theirs-${randomUUID()}`;
  await postgres.sql(`ALTER ROLE ${username} PASSWORD '${theirs}'`);
  await admin.entries.rotateEntry({ entryId, reason: 'by hand' });
  await eventually('an account out of sync', async () =>
    (await rotationsOf(entryId)).some(({ state }) => state === 'out_of_sync'),
  );
  expect(await rotate(leaver)).toMatchObject({
    queued: 0,
    impossible: [{ entryId, reason: expect.stringContaining('none of the stored secrets') }],
  });
  const boss = await admin.entries.createEntry({
    name: unique('boss'),
    username: postgres.admin.username,
    secret: postgres.admin.password,
  });
  const { entry } = await admin.entries.getEntry({ entryId });
  await admin.resources.updateResource({ resourceId: entry!.resourceId, adminEntryId: boss.entry!.id });
  expect(await rotate(leaver)).toMatchObject({ queued: 1, impossible: [] });
  await eventually('an empty list', async () => (await exposureOf(leaver)).currentSecrets === 0);
  expect(await postgres.accepts(username, theirs)).toBe(false);
});
