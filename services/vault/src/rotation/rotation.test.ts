import { randomUUID } from 'node:crypto';
import {
  type FaultyProxy,
  mayMount,
  type PostgresTarget,
  type SshTarget,
  startFaultyProxy,
  startPostgresTarget,
  startSshTarget,
} from '@claviger/targets';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
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
let ssh: SshTarget;
let moduleIds: { postgres: string; ssh: string };
const reach = { allowedCidrs: ['127.0.0.0/8'], allowedPorts: [{ from: 1024, to: 65_535 }] };

beforeAll(async () => {
  [bench, postgres, ssh] = await Promise.all([
    startVault({ overrides: { vault: { rotation: { ...quickRotation, probesPerWindow: 10 } } } }),
    startPostgresTarget(),
    startSshTarget({ ownEtc: true }),
  ]);
  proxy = await startFaultyProxy(postgres);
  await bench.openPorts(postgres.port, proxy.port, ssh.port);
  admin = await bench.as({});
  const [first, second] = await Promise.all([
    admin.modules.createModule({
      name: 'postgres',
      type: 'postgres',
      config: { ...reach, tls: { mode: 'disable' } },
    }),
    admin.modules.createModule({ name: 'ssh', type: 'ssh', config: reach }),
  ]);
  moduleIds = { postgres: first.module!.id, ssh: second.module!.id };
});
afterAll(async () => {
  await proxy?.stop();
  await Promise.all([postgres?.stop(), ssh?.stop(), bench?.[Symbol.asyncDispose]()]);
});

/** An account on the target with the secret that the vault stores. */
interface Managed {
  readonly entryId: string;
  readonly resourceId: string;
  readonly username: string;
  readonly first: string;
}

async function postgresAccount(port = proxy.port, more: object = {}): Promise<Managed> {
  const username = `app_${randomUUID().slice(0, 8)}`;
  const first = `First-${randomUUID()}`;
  await postgres.createRole(username, first);
  const { resource } = await admin.resources.createResource({
    name: username,
    type: 'database',
    moduleId: moduleIds.postgres,
    host: '127.0.0.1',
    port,
  });
  const { entry } = await admin.entries.createEntry({
    name: username,
    username,
    secret: first,
    resourceId: resource!.id,
    ...more,
  });
  return { entryId: entry!.id, resourceId: resource!.id, username, first };
}

const secretOf = (account: Managed) => admin.entries.retrieveEntry({ entryId: account.entryId });
const entryOf = async (account: Managed) =>
  (await admin.entries.getEntry({ entryId: account.entryId })).entry!;
const rotationsOf = async (account: Managed) =>
  (await admin.entries.listRotations({ entryId: account.entryId })).items;
const rotate = async (account: Managed) =>
  (await admin.entries.rotateEntry({ entryId: account.entryId, reason: 'test' })).rotation!;
const ended = (account: Managed, state: string) =>
  eventually(`a rotation that is ${state}`, async () => {
    const [rotation] = await rotationsOf(account);
    if (rotation?.finishedAt && rotation.state !== state) {
      throw new Error(`the rotation is ${rotation.state}: ${rotation.problem}`);
    }
    return rotation?.state === state && rotation;
  });
const inState = (account: Managed, state: string) =>
  eventually(`an entry that is ${state}`, async () => (await entryOf(account)).rotationState === state);

/** The vault discloses a secret that the target accepts and that differs from the former one. */
async function expectRotated(account: Managed): Promise<void> {
  const { secret, rotationState } = await secretOf(account);
  expect(rotationState).toBe('idle');
  expect(secret).not.toBe(account.first);
  expect(await postgres.accepts(account.username, secret)).toBe(true);
  expect(await postgres.accepts(account.username, account.first)).toBe(false);
}

const outcomes = (account: Managed) =>
  bench.superuser(async (client) => {
    const { rows } = await client.query<{ payload: string }>(
      "SELECT payload FROM outbox WHERE subject = 'audit.vault' ORDER BY created_at",
    );
    return rows
      .map((row) => JSON.parse(row.payload) as { action: string; subjectId: string; outcome: string })
      .filter((event) => event.action === 'vault.entry.rotated' && event.subjectId === account.entryId)
      .map((event) => event.outcome);
  });

afterEach(() => proxy.setMode({ kind: 'ok' }));

describe('on PostgreSQL', () => {
  let account: Managed;
  beforeEach(async () => {
    account = await postgresAccount();
  });

  test('a login verifies the new secret, the former one is kept as previous, and both are recorded', async () => {
    const requested = await rotate(account);
    expect(requested).toMatchObject({ state: 'pending', version: 2, trigger: 'manual' });
    await ended(account, 'verified');
    await expectRotated(account);
    expect((await admin.entries.listEntryVersions({ entryId: account.entryId })).items).toMatchObject([
      { version: 2, state: 'current' },
      { version: 1, state: 'previous' },
    ]);
    expect(await outcomes(account)).toEqual(['allowed']);
    expect((await admin.entries.verifyEntry({ entryId: account.entryId })).outcome).toBe('accepted');
    const { secret } = await secretOf(account);
    expect(bench.log()).not.toContain(secret);
  });

  test('H-130 of two concurrent rotations one is accepted, the other refused', async () => {
    // No rotation ends before the last of these calls.
    await proxy.setMode({ kind: 'refuse' });
    const results = await Promise.allSettled([rotate(account), rotate(account)]);
    expect(results.map((result) => result.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const refused = results.find((result) => result.status === 'rejected');
    expect(refused?.reason).toMatchObject({ reason: 'conflict', code: 'rotation_in_progress' });
    for (const call of [
      () => admin.entries.updateEntry({ entryId: account.entryId, secret: 'x' }),
      () => admin.entries.deleteEntry({ entryId: account.entryId }),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'rotation_in_progress' });
    }
    await proxy.setMode({ kind: 'ok' });
    await ended(account, 'verified');
    await expectRotated(account);
  });

  test('H-129 a retrieval during a rotation returns an accepted secret, or reports that a rotation is open', async () => {
    await proxy.setMode({ kind: 'delay', delayMs: 20 });
    await rotate(account);
    let over = false;
    const done = ended(account, 'verified').finally(() => {
      over = true;
    });
    const given = new Set<string>();
    while (!over) {
      const { secret, rotationState } = await secretOf(account);
      given.add(secret);
      if (rotationState === 'idle') expect(await postgres.accepts(account.username, secret)).toBe(true);
    }
    await done;
    await expectRotated(account);
    const { secret: last } = await secretOf(account);
    expect([...given].filter((secret) => secret !== account.first && secret !== last)).toEqual([]);
  });

  test('F-36 a change whose answer was lost is ambiguous, both secrets are kept, and logins resolve it', async () => {
    // No answer arrives after the change, so that it is not resolved before the checks below.
    let hasChanged = false;
    await proxy.setMode({
      kind: 'reset',
      when: async () => {
        hasChanged ||= !(await postgres.accepts(account.username, account.first));
        return hasChanged;
      },
    });
    await rotate(account);
    await inState(account, 'ambiguous');
    expect((await secretOf(account)).rotationState).toBe('ambiguous');
    const { items, receipt } = await admin.entries.recoverCandidates({
      entryId: account.entryId,
      reason: 'the answer was lost',
    });
    expect(receipt?.signature).not.toBe('');
    expect(items.map((item) => item.state)).toEqual(['pending', 'current']);
    const accepted = await Promise.all(items.map((item) => postgres.accepts(account.username, item.secret)));
    expect(accepted.filter(Boolean)).toHaveLength(1);
    await expect(rotate(account)).rejects.toMatchObject({ code: 'rotation_in_progress' });
    await proxy.setMode({ kind: 'ok' });
    await ended(account, 'verified');
    await expectRotated(account);
    expect(await outcomes(account)).toEqual(['failed', 'allowed']);
  });

  test('an unreachable target gets the same pending version later', async () => {
    await proxy.setMode({ kind: 'refuse' });
    await rotate(account);
    await eventually('a failed attempt', async () => (await rotationsOf(account))[0]!.problem !== '');
    expect((await secretOf(account)).secret).toBe(account.first);
    await proxy.setMode({ kind: 'ok' });
    expect(await ended(account, 'verified')).toMatchObject({ version: 2 });
    await expectRotated(account);
  });

  test('if a target does not let an account change its own password, target and vault keep the current one', async () => {
    await postgres.refuseChangesBy(account.username);
    await rotate(account);
    await ended(account, 'refused');
    expect(await secretOf(account)).toMatchObject({ secret: account.first, rotationState: 'idle' });
    expect(await postgres.accepts(account.username, account.first)).toBe(true);
  });

  test('manual verification shares the budget of failed logins, and reports when it is spent', async () => {
    await postgres.sql(`ALTER ROLE ${account.username} PASSWORD 'Outside-${randomUUID()}'`);
    const verify = () => admin.entries.verifyEntry({ entryId: account.entryId });
    const spent = { code: 'probe_budget_spent', reason: 'conflict' };
    // The concurrent calls share the budget as well: each login is counted before it is made.
    const tried = await Promise.allSettled(Array.from({ length: 14 }, verify));
    const outcomes = tried.map((each) => (each.status === 'fulfilled' ? each.value.outcome : each.reason));
    expect(outcomes.filter((each) => each === 'refused')).toHaveLength(10);
    expect(outcomes.filter((each) => each !== 'refused')).toMatchObject([spent, spent, spent, spent]);
    await postgres.sql(`ALTER ROLE ${account.username} PASSWORD '${account.first}'`);
    await expect(verify()).rejects.toMatchObject(spent);
    await bench.superuser((client) =>
      client.query(`UPDATE accounts SET probe_window_at = now() - interval '1 day' WHERE account_key = $1`, [
        account.username,
      ]),
    );
    // Successful logins are not counted.
    for (let turn = 0; turn < 12; turn += 1) expect((await verify()).outcome).toBe('accepted');
  });

  test('a secret that was changed on the target is out of sync until the right one is stored', async () => {
    const outside = `Outside-${randomUUID()}`;
    await postgres.sql(`ALTER ROLE ${account.username} PASSWORD '${outside}'`);
    await rotate(account);
    await ended(account, 'out_of_sync');
    await expect(admin.entries.deleteEntry({ entryId: account.entryId })).rejects.toMatchObject({
      code: 'in_use',
    });
    await admin.entries.updateEntry({ entryId: account.entryId, secret: outside });
    expect((await admin.entries.verifyEntry({ entryId: account.entryId })).outcome).toBe('accepted');
    await rotate(account);
    await ended(account, 'verified');
    await expectRotated(account);
  });

  test('a secret disclosed under a grant is rotated when the grant ends, and not before', async () => {
    const user = await bench.as({ tenantId: admin.actor.tenantId, permissions: new Set() });
    const workflow = bench.workflow(admin.actor.tenantId);
    const [unused, used] = [randomUUID(), randomUUID()];
    for (const grantId of [unused, used]) {
      await workflow.placeEntitlement({
        grantId,
        entryId: account.entryId,
        userId: user.actor.userId,
        expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
        oneTime: true,
        rotateOnEnd: true,
      });
    }
    expect(await workflow.removeEntitlement({ grantId: unused, cause: 'revoked' })).toEqual({
      rotation: 'not-needed',
      rotationQueued: false,
    });
    const delivered = await user.entitlements.deliverCredentials({ grantId: used });
    expect(delivered).toMatchObject({ host: '127.0.0.1', port: proxy.port, username: account.username });
    expect(await postgres.accepts(account.username, delivered.secret)).toBe(true);
    for (const _ of [1, 2]) {
      expect(await workflow.removeEntitlement({ grantId: used, cause: 'revoked' })).toEqual({
        rotation: 'queued',
        rotationQueued: true,
      });
    }
    expect(await ended(account, 'verified')).toMatchObject({ trigger: 'grant-ended' });
    expect(await rotationsOf(account)).toHaveLength(1);
    await expectRotated(account);
  });

  test('a schedule rotates a due entry once', async () => {
    await admin.entries.putRotationSchedule({
      entryId: account.entryId,
      intervalHours: 24,
      startsAt: new Date(Date.now() - 1_000).toISOString(),
    });
    expect(await ended(account, 'verified')).toMatchObject({ trigger: 'schedule' });
    expect(await rotationsOf(account)).toHaveLength(1);
    const { nextRotationAt } = await entryOf(account);
    expect(Date.parse(nextRotationAt!)).toBeGreaterThan(Date.now() + 23 * 3_600_000);
  });

  test('F-35 an outcome that cannot be stored is ambiguous, and logins find the working secret', async () => {
    await bench.superuser((client) =>
      client.query(`CREATE FUNCTION refuse_promotion() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN IF NEW.state = 'verified' THEN RAISE EXCEPTION 'disk full'; END IF; RETURN NEW; END $$;
          CREATE TRIGGER refuse_promotion BEFORE UPDATE ON rotations FOR EACH ROW EXECUTE FUNCTION refuse_promotion()`),
    );
    try {
      await rotate(account);
      await inState(account, 'ambiguous');
      const { items } = await admin.entries.recoverCandidates({ entryId: account.entryId, reason: 'which' });
      expect(items.map((item) => item.state)).toEqual(['pending', 'current']);
    } finally {
      await bench.superuser((client) => client.query('DROP FUNCTION refuse_promotion CASCADE'));
    }
    await ended(account, 'verified');
    await expectRotated(account);
  });

  test('accounts are discovered, with the entries of known ones', async () => {
    const { entry } = await admin.entries.createEntry({
      name: `admin of ${account.username}`,
      username: postgres.admin.username,
      secret: postgres.admin.password,
    });
    await admin.resources.updateResource({ resourceId: account.resourceId, adminEntryId: entry!.id });
    const { items } = await admin.resources.discoverAccounts({ resourceId: account.resourceId });
    expect(items.find((item) => item.username === account.username)).toMatchObject({
      entryId: account.entryId,
      canLogin: true,
    });
    expect(items.find((item) => item.username === postgres.admin.username)).toMatchObject({
      privileged: true,
      entryId: '',
    });
    expect(
      await admin.modules.testModule({ moduleId: moduleIds.postgres, resourceId: account.resourceId }),
    ).toMatchObject({ ok: true });
  });
});

describe('a vault killed during a rotation', () => {
  test.each([
    ['F-03', 'vault.rotate.after_candidate_stored'],
    ['F-04', 'vault.rotate.after_target_change'],
    ['F-04', 'vault.rotate.before_promote'],
  ])('%s at %s has a working secret after its restart', async (_, point) => {
    const account = await postgresAccount();
    bench.arm(`${point}=crash`);
    const back = <T>(call: () => Promise<T>) =>
      eventually('the vault answers', () =>
        call().catch((error: { reason: string }) => {
          if (error.reason !== 'unavailable') throw error;
          return undefined;
        }),
      );
    // The vault may end before it answers.
    await rotate(account).catch((error: { reason: string }) => expect(error.reason).toBe('unavailable'));
    await eventually(
      'the end of the vault process',
      async () => bench.installation.pid('vault-1') === undefined,
    );
    await endLeases(bench);
    bench.arm('');
    await bench.restart();
    // A retrieval succeeds while the secret is in doubt.
    expect((await back(() => secretOf(account))).secret).not.toBe('');
    await ended(account, 'verified');
    await expectRotated(account);
  });
});

test('on an SSH host, the account itself or an admin entry rotates the secret', async () => {
  const settings = { hostKeys: [ssh.hostKeyFingerprint] };
  const address = { moduleId: moduleIds.ssh, host: '127.0.0.1', port: ssh.port, type: 'server' };
  const [own, managed, root] = [
    await ssh.createAccount(),
    await ssh.createAccount(),
    await ssh.createAccount({ superuser: true }),
  ];
  const rootEntry = await admin.entries.createEntry({
    name: root.username,
    username: root.username,
    secret: root.password,
  });
  const cases = [
    { account: own, resource: { settings } },
    {
      account: managed,
      resource: { settings: { ...settings, rotateAs: 'admin' }, adminEntryId: rootEntry.entry!.id },
    },
  ];
  for (const { account, resource } of cases) {
    const created = await admin.resources.createResource({
      ...address,
      ...resource,
      name: account.username,
    });
    const { entry } = await admin.entries.createEntry({
      name: account.username,
      username: account.username,
      secret: account.password,
      resourceId: created.resource!.id,
    });
    const host = {
      entryId: entry!.id,
      resourceId: '',
      username: account.username,
      first: account.password,
    };
    await rotate(host);
    await ended(host, 'verified');
    const { secret } = await secretOf(host);
    expect(await ssh.accepts(account.username, secret)).toBe(true);
    expect(await ssh.accepts(account.username, account.password)).toBe(false);
  }
});

// The test replaces files in the host's /etc.
test.skipIf(!mayMount())(
  'F-38 a target whose policy refuses gets three pending versions in a day; a refused one never becomes current',
  async () => {
    const { username, password } = await ssh.createAccount();
    const { resource } = await admin.resources.createResource({
      name: username,
      type: 'server',
      moduleId: moduleIds.ssh,
      host: '127.0.0.1',
      port: ssh.port,
      settings: { hostKeys: [ssh.hostKeyFingerprint] },
    });
    const { entry } = await admin.entries.createEntry({
      name: username,
      username,
      secret: password,
      resourceId: resource!.id,
    });
    const host = { entryId: entry!.id, resourceId: resource!.id, username, first: password };
    // A rule about this password; a minimum age is another kind of refusal.
    await ssh.writeEtc('pam.d/passwd', 'password required pam_unix.so minlen=200\n');
    await rotate(host);
    expect(await ended(host, 'refused')).toMatchObject({
      version: 4,
      problem: expect.stringContaining('No further attempt today'),
    });
    const states = async () =>
      (await admin.entries.listEntryVersions({ entryId: host.entryId })).items
        .toSorted((a, b) => a.version - b.version)
        .map(({ state }) => state);
    expect(await states()).toEqual(['current', 'rejected', 'rejected', 'rejected']);
    expect(await secretOf(host)).toMatchObject({ secret: password, rotationState: 'idle' });
    expect(await ssh.accepts(username, password)).toBe(true);
    // A slow target may accept a refused version later, so the refused versions can be recovered.
    const recovered = await admin.entries.recoverCandidates({ entryId: host.entryId, reason: 'which' });
    expect(recovered.items.map(({ version }) => version)).toEqual([4, 3, 2, 1]);
    // Another rotation on the same day makes one attempt, and does not loop.
    await rotate(host);
    await eventually('the end of a second rotation', async () => {
      const items = await rotationsOf(host);
      return items.length === 2 && items.every(({ finishedAt }) => finishedAt);
    });
    expect(await states()).toHaveLength(5);
    await ssh.writeEtc('pam.d/passwd', '@include common-password\n');
    await rotate(host);
    await eventually('a rotation that is verified', async () =>
      (await rotationsOf(host)).some(({ state }) => state === 'verified'),
    );
    const { secret, version } = await secretOf(host);
    expect(version).toBe(6);
    expect(await ssh.accepts(username, secret)).toBe(true);
  },
);

test('scheduled entries that cannot be queued do not block the others', async () => {
  const stranger = await bench.as({});
  const poison = await stranger.entries.createEntry({ name: 'poison', username: 'x', secret: 'any' });
  const schedule = `UPDATE entries SET next_rotation_at = now() - interval '1 day' WHERE id = $1`;
  await bench.superuser(async (client) => {
    await client.query(`UPDATE keks SET wrapped = '\\x00' WHERE tenant_id = $1`, [stranger.actor.tenantId]);
  });
  // Keys are cached for some minutes: the damage takes effect after a restart.
  await bench.restart();
  await bench.superuser((client) => client.query(schedule, [poison.entry!.id]));
  await eventually('the entry waits', () =>
    bench.superuser(async (client) => {
      const { rows } = await client.query<{ waits: boolean }>(
        `SELECT next_rotation_at > now() + interval '50 minutes' AS waits FROM entries WHERE id = $1`,
        [poison.entry!.id],
      );
      return rows[0]!.waits;
    }),
  );
});
