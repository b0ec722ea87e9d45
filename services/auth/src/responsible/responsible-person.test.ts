import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import * as devices from '@claviger/contracts/auth/v1/devices';
import { migrate } from '@claviger/database';
import { storeMigrations } from '@claviger/store-service';
import { startScratchDatabase } from '@claviger/testkit';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  type AuthStack,
  asAdministrator,
  auditOf,
  authOf,
  codeOf,
  introspectApi,
  introspectUntilCached,
  newTenant,
  newUser,
  PASSWORD,
  rolesOf,
  signIn,
  startAuth,
  type TestTenant,
  tokensOf,
  usersOf,
} from '../../test-support.ts';

let stack: AuthStack;
let tenant: TestTenant;
beforeAll(async () => {
  stack = await startAuth();
});
afterAll(() => stack?.[Symbol.asyncDispose]());
beforeEach(async () => {
  tenant = await newTenant(stack);
});

interface Claims {
  readonly perms: string[];
  readonly roles: string[];
  readonly sites?: string[];
  readonly emg?: boolean;
  readonly rsp?: string;
  readonly bhd?: string[];
}
const claimsOf = (actorToken: string): Claims =>
  JSON.parse(Buffer.from(actorToken.split('.')[1]!, 'base64url').toString()) as Claims;
const claims = async (token: string) => claimsOf((await introspectApi(stack, token)).actorToken);
const sites = () => stack.gateway.client('auth', devices.SitesService);
const unique = (name: string) => `${name}-${randomUUID().slice(0, 8)}`;

/** Creates an administrator of machine identities, and a machine identity with a token. */
async function scene(roles = ['administrator']) {
  const boss = await asAdministrator(stack, tenant);
  const username = unique('maker');
  const maker = await newUser(stack, tenant, username, roles);
  const as = await (await signIn(stack, tenant.name, username, PASSWORD)).as();
  const { user: machine } = await usersOf(stack).createUser(
    {
      username: unique('robot'),
      displayName: '',
      email: '',
      password: '',
      roles: ['operator'],
      kind: 'machine',
    },
    as,
  );
  const token = async (options = as) =>
    (
      await tokensOf(stack).createApiToken(
        { name: 'n', userId: machine!.id, permissions: [], expiresInDays: 0 },
        options,
      )
    ).token;
  return { boss, maker, as, machine: machine!, makeToken: token, token: await token() };
}

test('a machine identity never exceeds the current roles, sites and emergency access of its responsible person', async () => {
  const { boss, maker, token, machine } = await scene();
  const free = await claims(token);
  expect(free).toMatchObject({ rsp: maker.id, bhd: [maker.id] });
  expect(free.perms).toContain('vault.entries.rotate');
  expect(free.roles).toEqual([]);
  const before = await introspectUntilCached(stack, () => introspectApi(stack, token));

  const { role } = await rolesOf(stack).createRole(
    { name: unique('reader'), description: '', permissions: ['vault.entries.read', 'users.read'] },
    boss,
  );
  await usersOf(stack).updateUserRoles({ userId: maker.id, roles: [role!.name] }, boss);
  // The cached entry of the machine identity ends immediately.
  expect(Number(await stack.redis.get(`claviger:live:{${before.seen.sessionId}}`))).toBeGreaterThan(
    Number(before.live),
  );
  expect((await claims(token)).perms).toEqual(['vault.entries.read']);
  await rolesOf(stack).updateRole(
    { roleId: role!.id, description: '', permissions: ['users.read'], rowVersion: undefined },
    boss,
  );
  expect((await claims(token)).perms).toEqual([]);
  await usersOf(stack).updateUserRoles({ userId: maker.id, roles: ['operator'] }, boss);
  expect((await claims(token)).roles).toEqual(['operator']);

  const { site } = await sites().createSite({ name: unique('HQ'), description: '' }, boss);
  expect((await claims(token)).sites).toBeUndefined();
  const keep = (userId: string) =>
    stack.sql('UPDATE users SET site_restricted = true WHERE id = $1', [userId]);
  await keep(maker.id);
  await stack.sql('INSERT INTO user_sites (tenant_id, user_id, site_id) VALUES ($1, $2, $3)', [
    tenant.id,
    maker.id,
    site!.id,
  ]);
  expect((await claims(token)).sites).toEqual([site!.id]);
  await keep(machine.id);
  expect((await claims(token)).sites).toEqual([]);

  await stack.sql(
    `UPDATE users SET emergency_until = now() + interval '1 hour', emergency_session_id = gen_random_uuid() WHERE id = $1`,
    [maker.id],
  );
  expect((await claims(token)).emg).toBe(true);
});

test('without an active responsible person a machine identity is suspended immediately until that person is active', async () => {
  const { boss, maker, token } = await scene();
  const { seen } = await introspectUntilCached(stack, () => introspectApi(stack, token));
  const live = () => stack.redis.get(`claviger:live:{${seen.sessionId}}`);
  const before = Number(await live());
  const status = (value: string) =>
    usersOf(stack).updateUser(
      { userId: maker.id, status: value, displayName: undefined, email: undefined, rowVersion: undefined },
      boss,
    );
  await status('disabled');
  expect(Number(await live())).toBeGreaterThan(before);
  expect(await codeOf(introspectApi(stack, token))).toBe('responsible_person_gone');
  await status('active');
  expect(await codeOf(introspectApi(stack, token))).toBe('ok');
  await usersOf(stack).deleteUser({ userId: maker.id, rowVersion: undefined }, boss);
  expect(await codeOf(introspectApi(stack, token))).toBe('responsible_person_gone');
});

test('a user who holds the permissions of a machine identity can take it over; its former tokens end, and only that user can create tokens', async () => {
  const { boss, maker, as, machine, token, makeToken } = await scene();
  const weakName = unique('weak');
  const { role } = await rolesOf(stack).createRole(
    { name: unique('helpdesk'), description: '', permissions: ['users.update', 'api-tokens.create'] },
    boss,
  );
  await newUser(stack, tenant, weakName, [role!.name]);
  const weak = await (await signIn(stack, tenant.name, weakName, PASSWORD)).as();
  const takeOver = (options: typeof boss, responsibleId = '') =>
    usersOf(stack).setResponsiblePerson({ userId: machine.id, responsibleId }, options);

  expect(await codeOf(makeToken(boss))).toBe('not_responsible');
  expect(await codeOf(takeOver(weak))).toBe('exceeds_own_permissions');
  expect(await codeOf(takeOver(boss, machine.id))).toBe('invalid');
  expect(await codeOf(takeOver(boss, randomUUID()))).toBe('invalid');
  expect(
    await codeOf(usersOf(stack).setResponsiblePerson({ userId: maker.id, responsibleId: '' }, boss)),
  ).toBe('not_a_machine');
  expect(await codeOf(introspectApi(stack, token))).toBe('ok');

  const { user } = await takeOver(boss);
  expect(user!.responsibleId).toBe(tenant.administrator.id);
  expect(await codeOf(introspectApi(stack, token))).toBe('session_revoked');
  expect(await codeOf(makeToken(as))).toBe('not_responsible');
  expect((await claims(await makeToken(boss))).rsp).toBe(tenant.administrator.id);
  const event = (await auditOf(stack, tenant.id)).find(
    ({ action, outcome }) => action === 'user.responsible.changed' && outcome === 'allowed',
  );
  expect(event).toMatchObject({
    subjectId: machine.id,
    details: { responsibleId: tenant.administrator.id, responsibleIdBefore: maker.id },
  });
  // The database itself refuses a token by another creator, and a machine identity as responsible person.
  await expect(
    stack.sql(
      `INSERT INTO api_tokens (tenant_id, user_id, session_id, name, prefix, token_hash, permissions, created_by, expires_at)
       SELECT tenant_id, user_id, gen_random_uuid(), 'x', 'x', '\\x00', '{}', $2, now() + interval '1 day'
       FROM api_tokens WHERE user_id = $1 LIMIT 1`,
      [machine.id, maker.id],
    ),
  ).rejects.toThrow(/responsible/);
  await expect(stack.sql('UPDATE users SET responsible_id = $1 WHERE id = $1', [machine.id])).rejects.toThrow(
    /a person is responsible/,
  );
});

test('an account also counts as that of the user who set its password, recursively, until its own user changes it', async () => {
  const boss = await asAdministrator(stack, tenant);
  const users = usersOf(stack);
  const given = 'A password that was given 7';
  const person = async (username: string, options: typeof boss) => {
    const { user } = await users.createUser(
      { username, displayName: '', email: '', password: given, roles: ['administrator'], kind: 'person' },
      options,
    );
    const session = await signIn(stack, tenant.name, username, given);
    return {
      id: user!.id,
      user: user!,
      session,
      behind: async () => claimsOf((await session.as()).actorToken!).bhd,
    };
  };
  const first = await person(unique('first'), boss);
  expect(first.user.heldBy).toBe(tenant.administrator.id);
  const second = await person(unique('second'), await first.session.as());
  expect(await first.behind()).toEqual([tenant.administrator.id]);
  expect(await second.behind()).toEqual([first.id, tenant.administrator.id].sort());
  const directory = stack.workflow.client('auth', devices.DeviceDirectoryService);
  const permitted = await directory.listPermittedUsers(
    { permission: 'requests.decide', limit: 0 },
    { tenantId: tenant.id },
  );
  expect(permitted.users.find(({ id }) => id === second.id)?.behind).toEqual(await second.behind());

  await authOf(stack).changeMyPassword(
    { currentPassword: given, newPassword: PASSWORD },
    await first.session.as(),
  );
  expect([await first.behind(), await second.behind()]).toEqual([undefined, [first.id]]);
  const { resetToken: token } = await users.startPasswordReset({ userId: second.id }, boss);
  await authOf(stack).completePasswordReset({ token, newPassword: PASSWORD });
  expect((await users.getUser({ userId: second.id }, boss)).user!.heldBy).toBeUndefined();
  await users.setUserPassword({ userId: second.id, password: given }, boss);
  expect((await users.getUser({ userId: second.id }, boss)).user!.heldBy).toBe(tenant.administrator.id);
});

test('existing machine identities get the creator of their newest valid token; tokens of other creators end', async () => {
  await using scratch = await startScratchDatabase();
  const schema = await scratch.createSchema();
  const migrations = storeMigrations(join(import.meta.dirname, '../migrations'));
  const first = migrations.findIndex(({ name }) => name.startsWith('0008-'));
  await migrate(schema, migrations.slice(0, first));
  const [tenantId, gone, living, orphan] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const [shared, left, unused] = [randomUUID(), randomUUID(), randomUUID()];
  const sql = (text: string) =>
    scratch.query<Record<string, unknown>>(`SET search_path = ${schema.schema}; ${text}`);
  const user = (id: string, kind: string, deleted = false) =>
    `INSERT INTO users (tenant_id, id, username, canonical_login, kind, deleted_at)
     VALUES ('${tenantId}', '${id}', '${id}', '${id}', '${kind}', ${deleted ? 'now()' : 'NULL'});`;
  const token = (machine: string, maker: string, age: number) => `
    WITH s AS (INSERT INTO sessions (tenant_id, id, user_id, kind, amr, expires_at)
      VALUES ('${tenantId}', gen_random_uuid(), '${machine}', 'api-token', '{token}', now() + interval '9 days') RETURNING id)
    INSERT INTO api_tokens (tenant_id, user_id, session_id, name, prefix, token_hash, permissions, created_by, created_at, expires_at)
      SELECT '${tenantId}', '${machine}', id, 'n', 'p', sha256(id::text::bytea), '{}', '${maker}',
        now() - interval '${age} days', now() + interval '9 days' FROM s;`;
  await sql(`INSERT INTO tenants (id, name) VALUES ('${tenantId}', 'old');
    ${user(gone, 'person', true)} ${user(living, 'person')} ${user(orphan, 'person', true)}
    ${[shared, left, unused].map((id) => user(id, 'machine')).join('')}
    ${token(shared, gone, 1)} ${token(shared, living, 2)} ${token(left, orphan, 1)}`);
  await migrate(schema, migrations);
  const read = (text: string) => scratch.query<Record<string, unknown>>(text);
  const responsible = await read(
    `SELECT id, responsible_id FROM ${schema.schema}.users WHERE kind = 'machine'`,
  );
  expect(Object.fromEntries(responsible.map((row) => [row.id, row.responsible_id]))).toEqual({
    [shared]: living,
    [left]: orphan,
    [unused]: null,
  });
  const alive = await read(
    `SELECT t.created_by FROM ${schema.schema}.api_tokens t JOIN ${schema.schema}.sessions s ON s.id = t.session_id
     WHERE t.revoked_at IS NULL AND s.revoked_at IS NULL`,
  );
  expect(alive.map((row) => row.created_by).sort()).toEqual([living, orphan].sort());
  const ending = await read(
    `SELECT user_id FROM ${schema.schema}.account_standings WHERE ends AND NOT active`,
  );
  expect(ending.map((row) => row.user_id).sort()).toEqual([gone, orphan, left, unused].sort());
});
