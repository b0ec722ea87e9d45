import { randomUUID } from 'node:crypto';
import { type PostgresTarget, startPostgresTarget } from '@claviger/targets';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, type Person, startVault, type VaultBench } from '../../test-support.ts';

let bench: VaultBench;
let admin: Person;
let postgres: PostgresTarget;
let moduleId: string;

beforeAll(async () => {
  [bench, postgres] = await Promise.all([startVault(), startPostgresTarget()]);
  await bench.openPorts(postgres.port);
  admin = await bench.as({ userName: 'admin' });
  moduleId = await createModule('postgres');
});
afterAll(async () => {
  await Promise.all([postgres?.stop(), bench?.[Symbol.asyncDispose]()]);
});

const unique = (name: string) => `${name}_${randomUUID().slice(0, 8)}`;
const taken = { reason: 'conflict', code: 'account_taken' };
const spent = { reason: 'conflict', code: 'probe_budget_spent' };

async function createModule(name: string, config: object = {}): Promise<string> {
  const { module } = await admin.modules.createModule({
    name,
    type: 'postgres',
    config: {
      allowedCidrs: ['127.0.0.0/8'],
      allowedPorts: [{ from: 1024, to: 65_535 }],
      tls: { mode: 'disable' },
      ...config,
    },
  });
  return module!.id;
}

async function createResource(more: object = {}): Promise<string> {
  const { resource } = await admin.resources.createResource({
    name: unique('db'),
    type: 'database',
    moduleId,
    host: '127.0.0.1',
    port: postgres.port,
    ...more,
  });
  return resource!.id;
}

async function createEntry(username: string, more: object = {}, who = admin): Promise<string> {
  const { entry } = await who.entries.createEntry({
    name: unique('entry'),
    username,
    secret: 'wrong',
    ...more,
  });
  return entry!.id;
}

const outcomesOf = async (calls: readonly Promise<{ outcome: string }>[]) =>
  (await Promise.allSettled(calls)).map((each) =>
    each.status === 'fulfilled' ? each.value.outcome : (each.reason as { code: string }).code,
  );

test('F-38 concurrent calls make at most two failed logins to an account in half an hour', async () => {
  const username = unique('app');
  await postgres.createRole(username, 'right');
  const entryId = await createEntry(username, { resourceId: await createResource() });
  const verify = () => admin.entries.verifyEntry({ entryId });
  const outcomes = await outcomesOf(Array.from({ length: 10 }, verify));
  expect(outcomes.filter((outcome) => outcome === 'refused')).toHaveLength(2);
  expect(outcomes.filter((outcome) => outcome === spent.code)).toHaveLength(8);
  const error = (await verify().catch((error: unknown) => error)) as { retryAfterSeconds: number };
  expect(error).toMatchObject(spent);
  expect(Math.round(error.retryAfterSeconds / 60)).toBe(30);

  // The budget is available again after the time in the answer.
  await bench.superuser((client) =>
    client.query(
      'UPDATE accounts SET probe_window_at = probe_window_at - make_interval(secs => $2) WHERE account_key = $1',
      [username, error.retryAfterSeconds],
    ),
  );
  await admin.entries.updateEntry({ entryId, secret: 'right' });
  // Accepted logins are not counted.
  for (let turn = 0; turn < 3; turn += 1) expect((await verify()).outcome).toBe('accepted');
  await admin.entries.updateEntry({ entryId, secret: 'wrong' });
  expect(await outcomesOf([verify(), verify(), verify()])).toEqual(
    expect.arrayContaining(['refused', 'refused', spent.code]),
  );
});

test('failed logins have one budget per account for all entries, resources, spellings and operations', async () => {
  const username = unique('root');
  const other = unique('app');
  await postgres.createRole(username, 'right');
  await postgres.createRole(other, 'right');
  const first = await createResource();
  const verified = await createEntry(username, { resourceId: first });
  const adminEntryId = await createEntry(username);
  const second = await createResource({
    host: '::ffff:127.0.0.1',
    adminEntryId,
    settings: { rotateAs: 'admin' },
  });
  const rotated = await createEntry(other, { resourceId: second, secret: 'right' });

  expect((await admin.entries.verifyEntry({ entryId: verified })).outcome).toBe('refused');
  expect(await admin.modules.testModule({ moduleId, resourceId: second })).toMatchObject({ ok: false });
  await expect(admin.modules.testModule({ moduleId, resourceId: second })).rejects.toMatchObject(spent);
  await expect(admin.resources.discoverAccounts({ resourceId: second })).rejects.toMatchObject(spent);
  await expect(admin.entries.verifyEntry({ entryId: verified })).rejects.toMatchObject(spent);
  // A deleted entry does not reset the budget.
  await admin.entries.deleteEntry({ entryId: verified });
  const again = await createEntry(username, { resourceId: first });
  await expect(admin.entries.verifyEntry({ entryId: again })).rejects.toMatchObject(spent);
  // The rotation waits and sends nothing to the target.
  await admin.entries.rotateEntry({ entryId: rotated, reason: 'test' });
  await eventually('a rotation that waits', async () => {
    const [rotation] = (await admin.entries.listRotations({ entryId: rotated })).items;
    return rotation!.problem.includes('could lock the account') && rotation!.state === 'pending';
  });
  expect(await postgres.accepts(other, 'right')).toBe(true);
});

test('a second entry for an account is refused for any resource and spelling; the error names the first one if the actor may see it', async () => {
  const username = unique('app');
  const [resourceId, spelt] = await Promise.all([
    createResource(),
    createResource({ host: '::FFFF:127.0.0.1' }),
  ]);
  const entryId = await createEntry(username, { resourceId });
  for (const where of [resourceId, spelt]) {
    await expect(createEntry(username, { resourceId: where })).rejects.toMatchObject(taken);
  }
  await expect(createEntry(username, { resourceId: spelt })).rejects.toThrow(entryId);
  const blind = await bench.as({
    tenantId: admin.actor.tenantId,
    userId: admin.actor.userId,
    permissions: new Set(['vault.entries.create']),
  });
  const error = await createEntry(username, { resourceId }, blind).catch((error: Error) => error);
  expect(error).toMatchObject(taken);
  expect(String(error)).not.toContain(entryId);

  // The same for a renamed entry, a moved resource and a changed module.
  const renamed = await createEntry(unique('app'), { resourceId: spelt });
  await expect(admin.entries.updateEntry({ entryId: renamed, username })).rejects.toMatchObject(taken);
  // Unused names leave no rows.
  const names = Array.from({ length: 3 }, () => unique('name'));
  for (const name of names) await admin.entries.updateEntry({ entryId: renamed, username: name });
  const left = await bench.superuser((client) =>
    client.query('SELECT account_key FROM accounts WHERE account_key = ANY ($1)', [names]),
  );
  expect(left.rows).toEqual([{ account_key: names[2] }]);
  const elsewhere = await createResource({ host: '127.0.0.9' });
  await createEntry(username, { resourceId: elsewhere });
  await expect(
    admin.resources.updateResource({ resourceId: elsewhere, host: '127.0.0.1' }),
  ).rejects.toMatchObject(taken);
  const byModule = await createModule(unique('module'), { port: 1 });
  const inModule = await createResource({ moduleId: byModule, port: 0 });
  await createEntry(username, { resourceId: inModule });
  const config = { allowedCidrs: ['127.0.0.0/8'], allowedPorts: [postgres.port], tls: { mode: 'disable' } };
  await expect(
    admin.modules.updateModule({
      moduleId: byModule,
      name: unique('module'),
      config: { ...config, port: postgres.port },
    }),
  ).rejects.toMatchObject(taken);

  // A key is another secret of the account; another tenant has its own accounts; a deleted entry frees its
  // account.
  await createEntry(username, { resourceId, type: 'ssh-key' });
  await admin.entries.deleteEntry({ entryId });
  await createEntry(username, { resourceId: spelt });
});

test('of concurrent creations of entries for one account, one succeeds', async () => {
  const username = unique('app');
  const resources = await Promise.all([createResource(), createResource({ host: '::ffff:127.0.0.1' })]);
  const results = await Promise.allSettled(
    Array.from({ length: 12 }, (_, index) => createEntry(username, { resourceId: resources[index % 2] })),
  );
  expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  expect(refused).toEqual(Array.from({ length: 11 }, () => expect.objectContaining(taken)));
});

test('entries of a former release for one account are linked, and not rotated until one is left', async () => {
  const username = unique('app');
  const names = [username, unique('other')];
  await postgres.createRole(username, 'right');
  const entries: string[] = [];
  for (const name of names)
    entries.push(await createEntry(name, { resourceId: await createResource(), secret: 'right' }));
  await bench.superuser((client) =>
    client.query(
      `UPDATE entries SET username = $1, account_id = NULL, account_due = true WHERE id = ANY ($2)`,
      [username, entries],
    ),
  );
  const rows = () =>
    bench.superuser(
      async (client) =>
        (
          await client.query<{ account_id: string; account_linked: boolean; account_due: boolean }>(
            'SELECT account_id, account_linked, account_due FROM entries WHERE id = ANY ($1) ORDER BY created_at',
            [entries],
          )
        ).rows,
    );
  await eventually('the assignment of their accounts', async () =>
    (await rows()).every((row) => !row.account_due),
  );
  const [oldest, newest] = await rows();
  expect(newest!.account_id).toBe(oldest!.account_id);
  expect([oldest!.account_linked, newest!.account_linked]).toEqual([false, true]);
  for (const entryId of entries) {
    await expect(admin.entries.rotateEntry({ entryId, reason: 'test' })).rejects.toMatchObject({
      code: 'account_shared',
    });
  }
  await admin.entries.deleteEntry({ entryId: entries[0]! });
  await expect(createEntry(username, { resourceId: await createResource() })).rejects.toMatchObject(taken);
  await admin.entries.rotateEntry({ entryId: entries[1]!, reason: 'test' });
  await eventually('a rotation', async () => !(await postgres.accepts(username, 'right')));
});
