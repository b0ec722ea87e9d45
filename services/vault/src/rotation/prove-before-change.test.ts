import { randomUUID } from 'node:crypto';
import {
  type FaultyProxy,
  type PostgresTarget,
  startFaultyProxy,
  startPostgresTarget,
} from '@claviger/targets';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  endLeases,
  eventually,
  type Person,
  quickRotation,
  startVault,
  type VaultBench,
} from '../../test-support.ts';

let bench: VaultBench;
let admin: Person;
let postgres: PostgresTarget;
let proxy: FaultyProxy;
let moduleId: string;
let bossEntryId: string;

beforeAll(async () => {
  [bench, postgres] = await Promise.all([
    startVault({
      services: ['vault', 'auth'],
      overrides: { vault: { rotation: { ...quickRotation, probesPerWindow: 6 } } },
    }),
    startPostgresTarget(),
  ]);
  proxy = await startFaultyProxy(postgres);
  await bench.openPorts(postgres.port, proxy.port);
  admin = await bench.as({});
  const { module } = await admin.modules.createModule({
    name: 'postgres',
    type: 'postgres',
    config: {
      allowedCidrs: ['127.0.0.0/8'],
      allowedPorts: [{ from: 1024, to: 65_535 }],
      tls: { mode: 'disable' },
    },
  });
  moduleId = module!.id;
  const { entry } = await admin.entries.createEntry({
    name: 'boss',
    username: postgres.admin.username,
    secret: postgres.admin.password,
  });
  bossEntryId = entry!.id;
});
afterAll(async () => {
  await proxy?.stop();
  await Promise.all([postgres?.stop(), bench?.[Symbol.asyncDispose]()]);
});
afterEach(() => proxy.setMode({ kind: 'ok' }));

interface Managed {
  readonly entryId: string;
  readonly username: string;
  readonly first: string;
}

/** An account whose password an admin entry changes: `verified` by a login, or with a wrong stored secret. */
async function account(
  kind: 'verified' | 'never verified' | 'wrong',
  settings: object = { rotateAs: 'admin' },
): Promise<Managed> {
  const username = `app_${randomUUID().slice(0, 8)}`;
  const first = `First-${randomUUID()}`;
  await postgres.createRole(username, first);
  const { resource } = await admin.resources.createResource({
    name: username,
    type: 'database',
    moduleId,
    host: '127.0.0.1',
    port: proxy.port,
    settings: { ...settings },
    adminEntryId: bossEntryId,
  });
  const { entry } = await admin.entries.createEntry({
    name: username,
    username,
    secret: kind === 'wrong' ? 'Never-right-1' : first,
    resourceId: resource!.id,
  });
  const entryId = entry!.id;
  if (kind === 'verified') expect((await admin.entries.verifyEntry({ entryId })).outcome).toBe('accepted');
  return { entryId, username, first };
}

const rotate = ({ entryId }: Managed, secretLost = false) =>
  admin.entries.rotateEntry({ entryId, reason: 'test', secretLost });
const rotationsOf = async ({ entryId }: Managed) => (await admin.entries.listRotations({ entryId })).items;
const entryOf = async ({ entryId }: Managed) => (await admin.entries.getEntry({ entryId })).entry!;
const secretOf = async ({ entryId }: Managed) => (await admin.entries.retrieveEntry({ entryId })).secret;
const ended = (managed: Managed, state: string) =>
  eventually(`a rotation that is ${state}`, async () => {
    const [rotation] = await rotationsOf(managed);
    if (rotation?.finishedAt && rotation.state !== state)
      throw new Error(`the rotation is ${rotation.state}: ${rotation.problem}`);
    return rotation?.state === state && rotation;
  });
/** The password hash on the server. */
const heldBy = async ({ username }: Managed) =>
  (
    await postgres.sql(
      `SELECT rolpassword, rolcanlogin, rolvaliduntil::text FROM pg_authid WHERE rolname = '${username}'`,
    )
  )[0]!;
const setOutside = async ({ username }: Managed): Promise<string> => {
  const outside = `Outside-${randomUUID()}`;
  await postgres.sql(`ALTER ROLE ${username} PASSWORD '${outside}'`);
  return outside;
};

async function expectRotated(managed: Managed): Promise<void> {
  const secret = await secretOf(managed);
  expect(secret).not.toBe(managed.first);
  expect(await postgres.accepts(managed.username, secret)).toBe(true);
  expect(await postgres.accepts(managed.username, managed.first)).toBe(false);
  expect((await entryOf(managed)).rotationState).toBe('idle');
}

/** Discloses the secret under a grant, calls `meanwhile`, and ends the grant. */
async function discloseAndEnd(
  managed: Managed,
  meanwhile: (secret: string) => Promise<unknown> = async () => {},
): Promise<void> {
  const user = await bench.as({ tenantId: admin.actor.tenantId, permissions: new Set() });
  const workflow = bench.workflow(admin.actor.tenantId);
  const grantId = randomUUID();
  await workflow.placeEntitlement({
    grantId,
    entryId: managed.entryId,
    userId: user.actor.userId,
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    oneTime: true,
    rotateOnEnd: true,
  });
  await meanwhile((await user.entitlements.deliverCredentials({ grantId })).secret);
  expect(await workflow.removeEntitlement({ grantId, cause: 'revoked' })).toMatchObject({
    rotation: 'queued',
  });
}

const eventsOf = ({ entryId }: Managed) =>
  bench.superuser(async (client) => {
    const { rows } = await client.query<{ payload: string }>(
      "SELECT payload FROM outbox WHERE subject = 'audit.vault' ORDER BY created_at",
    );
    return rows
      .map(({ payload }) => JSON.parse(payload))
      .filter((event) => event.action === 'vault.entry.rotated' && event.subjectId === entryId);
  });

test('an admin entry changes a password after the target accepted the current one, and the rotation records this', async () => {
  const managed = await account('never verified');
  await rotate(managed);
  expect(await ended(managed, 'verified')).toMatchObject({ firstLogin: 'accepted', secretLost: false });
  await expectRotated(managed);
});

test('a password that was changed elsewhere is not changed until an actor declares it lost', async () => {
  const managed = await account('verified');
  const outside = await setOutside(managed);
  const before = await heldBy(managed);
  await rotate(managed);
  expect(await ended(managed, 'refused')).toMatchObject({
    firstLogin: 'refused',
    problemKind: 'authentication',
    problem: expect.stringContaining('nothing was changed'),
    hint: expect.stringContaining('--secret-lost'),
  });
  expect(await heldBy(managed)).toEqual(before);
  expect(await postgres.accepts(managed.username, outside)).toBe(true);
  expect(await secretOf(managed)).toBe(managed.first);
  await rotate(managed, true);
  expect(await ended(managed, 'verified')).toMatchObject({ secretLost: true, firstLogin: '' });
  await expectRotated(managed);
  expect(await postgres.accepts(managed.username, outside)).toBe(false);
});

test('a schedule does not change a password that was changed elsewhere, and keeps its interval', async () => {
  const managed = await account('verified');
  const outside = await setOutside(managed);
  await admin.entries.putRotationSchedule({
    entryId: managed.entryId,
    intervalHours: 24,
    startsAt: new Date(Date.now() - 1_000).toISOString(),
  });
  expect(await ended(managed, 'refused')).toMatchObject({ trigger: 'schedule', firstLogin: 'refused' });
  expect(await postgres.accepts(managed.username, outside)).toBe(true);
  expect(Date.parse((await entryOf(managed)).nextRotationAt!)).toBeGreaterThan(Date.now() + 23 * 3_600_000);
});

test('a secret that was never verified counts as lost, even one that a person has just stored', async () => {
  const wrong = await account('wrong');
  await rotate(wrong);
  expect(await ended(wrong, 'verified')).toMatchObject({ firstLogin: 'refused' });
  await expectRotated(wrong);
  const managed = await account('verified');
  await admin.entries.updateEntry({ entryId: managed.entryId, secret: 'Mistyped-1' });
  expect((await entryOf(managed)).lastVerifiedAt).toBeUndefined();
  await rotate(managed);
  await ended(managed, 'verified');
  await expectRotated(managed);
});

test.each([
  ['has no login', (name: string) => `ALTER ROLE ${name} NOLOGIN`],
  ['has expired', (name: string) => `ALTER ROLE ${name} VALID UNTIL '2020-01-01'`],
])('a role that %s is not changed, with a known or a lost secret', async (_, statement) => {
  const managed = await account('verified');
  await postgres.sql(statement(managed.username));
  const before = await heldBy(managed);
  for (const lost of [false, true]) {
    await rotate(managed, lost);
    const { problem, hint } = await eventually('the end of the rotation', async () =>
      (await rotationsOf(managed)).find(
        ({ secretLost, state }) => secretLost === lost && state === 'refused',
      ),
    );
    expect(problem).not.toBe('');
    expect(hint).not.toBe('');
  }
  expect(await heldBy(managed)).toEqual(before);
});

test('a target that does not answer the first login is retried, and the rotation shows that it waits', async () => {
  const managed = await account('verified');
  await proxy.setMode({ kind: 'refuse' });
  await rotate(managed);
  await eventually('a rotation that waits', async () => {
    const [rotation] = await rotationsOf(managed);
    return rotation?.problemKind === 'unreachable' && rotation.state === 'pending' && rotation.nextAttemptAt;
  });
  const { rotationState } = await entryOf(managed);
  expect(rotationState).toBe('pending');
  await proxy.setMode({ kind: 'ok' });
  await ended(managed, 'verified');
  await expectRotated(managed);
  expect((await eventsOf(managed)).map(({ outcome }) => outcome)).toEqual(['failed', 'allowed']);
});

test('the first login is counted in the budget of the account, and waits for it', async () => {
  const managed = await account('verified');
  await setOutside(managed);
  for (let turn = 0; turn < 6; turn += 1) await admin.entries.verifyEntry({ entryId: managed.entryId });
  await rotate(managed);
  await eventually('a rotation that waits', async () => {
    const [rotation] = await rotationsOf(managed);
    return rotation?.problemKind === 'not_now' && rotation.state === 'pending';
  });
  await bench.superuser((client) =>
    client.query(`UPDATE accounts SET probe_window_at = now() - interval '1 day' WHERE account_key = $1`, [
      managed.username,
    ]),
  );
  expect(await ended(managed, 'refused')).toMatchObject({ firstLogin: 'refused' });
});

test.each([
  ['an administrator rotates', { rotateAs: 'admin' }],
  ['accounts rotate themselves', { rotateAs: 'self' }],
])('if %s, a grantee who changed the password does not keep the account', async (_, settings) => {
  const managed = await account('verified', settings);
  let theirs = '';
  await discloseAndEnd(managed, async () => {
    theirs = await setOutside(managed);
  });
  expect(await ended(managed, 'verified')).toMatchObject({
    trigger: 'grant-ended',
    firstLogin: 'refused',
  });
  await expectRotated(managed);
  expect(await postgres.accepts(managed.username, theirs)).toBe(false);
  expect((await eventsOf(managed)).at(-1)).toMatchObject({
    outcome: 'allowed',
    details: { firstLogin: 'refused', trigger: 'grant-ended', state: 'verified' },
  });
});

test('a target that is down when a grant ends gets the first login as soon as it is back', async () => {
  const managed = await account('verified');
  await discloseAndEnd(managed, async () => {
    await setOutside(managed);
    await proxy.setMode({ kind: 'refuse' });
  });
  await eventually('it waits', async () => (await rotationsOf(managed))[0]!.problemKind === 'unreachable');
  await proxy.setMode({ kind: 'ok' });
  expect(await ended(managed, 'verified')).toMatchObject({ trigger: 'grant-ended', firstLogin: 'refused' });
  await expectRotated(managed);
});

test('a manual rotation that fails does not delay the one after a disclosure', async () => {
  const managed = await account('verified');
  let theirs = '';
  await discloseAndEnd(managed, async () => {
    theirs = await setOutside(managed);
    await proxy.setMode({ kind: 'refuse' });
    await rotate(managed);
    await eventually('it waits', async () => (await rotationsOf(managed))[0]!.problemKind === 'unreachable');
  });
  await proxy.setMode({ kind: 'ok' });
  const inState = (wanted: string, of: string) =>
    eventually(`the rotation ${of} is ${wanted}`, async () =>
      (await rotationsOf(managed)).find(({ trigger, state }) => trigger === of && state === wanted),
    );
  await inState('refused', 'manual');
  const rotation = await inState('verified', 'grant-ended');
  expect(rotation).toMatchObject({ firstLogin: 'refused' });
  await expectRotated(managed);
  expect(await postgres.accepts(managed.username, theirs)).toBe(false);
});

test('after a disclosure a role without login gets another password and keeps NOLOGIN', async () => {
  const managed = await account('verified');
  const before = await heldBy(managed);
  await discloseAndEnd(managed, () => postgres.sql(`ALTER ROLE ${managed.username} NOLOGIN`));
  expect(await ended(managed, 'unverified')).toMatchObject({
    trigger: 'grant-ended',
    firstLogin: 'unknown',
    problemKind: 'not_possible',
    problem: expect.stringContaining('no login can verify it'),
    hint: expect.stringContaining('LOGIN'),
  });
  const after = await heldBy(managed);
  expect(after.rolcanlogin).toBe(false);
  expect(after.rolpassword).not.toBe(before.rolpassword);
  const entry = await entryOf(managed);
  expect(entry).toMatchObject({ rotationState: 'idle', currentVersion: 2 });
  expect(entry.lastVerifiedAt).toBeUndefined();
  // With its login restored, the role accepts the vault's secret and not the disclosed one.
  await postgres.sql(`ALTER ROLE ${managed.username} LOGIN`);
  expect(await postgres.accepts(managed.username, await secretOf(managed))).toBe(true);
  expect(await postgres.accepts(managed.username, managed.first)).toBe(false);
});

test('the admin entry sets the secret of an account out of sync: on request, and after a disclosure', async () => {
  const managed = await account('verified', { rotateAs: 'self' });
  await setOutside(managed);
  await rotate(managed);
  await ended(managed, 'out_of_sync');
  await rotate(managed, true);
  await ended(managed, 'verified');
  await expectRotated(managed);
  const other = await account('verified', { rotateAs: 'self' });
  await discloseAndEnd(other, async () => {
    await setOutside(other);
    await rotate(other);
    await ended(other, 'out_of_sync');
  });
  await eventually('a new secret', async () =>
    (await rotationsOf(other)).find(
      ({ trigger, state }) => trigger === 'grant-ended' && state === 'verified',
    ),
  );
  await expectRotated(other);
});

test('only an admin entry sets a lost secret, and only for actors who may use that entry', async () => {
  const managed = await account('verified', { rotateAs: 'self' });
  const user = await bench.as({
    tenantId: admin.actor.tenantId,
    permissions: new Set(['vault.entries.rotate', 'vault.entries.read']),
  });
  await admin.entries.putShare({ entryId: managed.entryId, userId: user.actor.userId, access: 'modify' });
  const ask = () => user.entries.rotateEntry({ entryId: managed.entryId, reason: 'lost', secretLost: true });
  await expect(ask()).rejects.toMatchObject({ code: 'insufficient_access' });
  const { resourceId } = await entryOf(managed);
  await admin.resources.updateResource({ resourceId, adminEntryId: '' });
  await expect(rotate(managed, true)).rejects.toMatchObject({ code: 'no_admin_entry' });
});

test('a vault killed after the first login, or after the change, has a working secret after its restart', async () => {
  for (const point of ['vault.rotate.after_current_checked', 'vault.rotate.after_target_change']) {
    const managed = await account('verified');
    bench.arm(`${point}=crash`);
    await rotate(managed).catch((error: { reason: string }) => expect(error.reason).toBe('unavailable'));
    await eventually(
      'the end of the vault process',
      async () => bench.installation.pid('vault-1') === undefined,
    );
    await endLeases(bench);
    bench.arm('');
    await bench.restart();
    await ended(managed, 'verified');
    await expectRotated(managed);
  }
});
