import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as auth from '@claviger/contracts/auth/v1/auth';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AuthStack,
  asAdministrator,
  asSteppedUp,
  auditOf,
  authOf,
  codeOf,
  introspectAccess,
  introspectApi,
  newTenant,
  newUser,
  PASSWORD,
  page,
  reasonOf,
  retryWhileLocked,
  rolesOf,
  signIn,
  startAuth,
  type TestTenant,
  tokensOf,
  usersOf,
} from '../../test-support.ts';

let stack: AuthStack;
let tenant: TestTenant;
let other: TestTenant;
beforeAll(async () => {
  stack = await startAuth();
  tenant = await newTenant(stack);
  other = await newTenant(stack);
});
afterAll(() => stack?.[Symbol.asyncDispose](), 60_000);

const list = { ...page, status: '', search: '', role: '' };
const signedInAs = async (username: string, from = tenant) =>
  (await signIn(stack, from.name, username, PASSWORD)).as();
const steppedUpAs = async (username: string) => {
  const { as } = await signIn(stack, tenant.name, username, PASSWORD);
  await stack.sql(
    `UPDATE sessions s SET mfa_at = now() FROM users u
     WHERE u.tenant_id = $1 AND u.username = $2 AND s.user_id = u.id AND s.revoked_at IS NULL`,
    [tenant.id, username],
  );
  return as();
};
let roles = 0;
/** Creates a separate role with these permissions. */
async function roleWith(...permissions: string[]): Promise<string> {
  roles += 1;
  const name = `role-${roles}`;
  await rolesOf(stack).createRole(
    { name, description: '', permissions },
    await asAdministrator(stack, tenant),
  );
  return name;
}

test('a user is created, read, changed by row version, listed, deleted and then not found', async () => {
  const options = await asAdministrator(stack, tenant);
  const user = await newUser(stack, tenant, 'Carol', ['requester']);
  expect(user).toMatchObject({ username: 'Carol', status: 'active', kind: 'person', roles: ['requester'] });
  const change = { userId: user.id, displayName: 'Carol C.', email: undefined, status: undefined };
  const { user: changed } = await usersOf(stack).updateUser(
    { ...change, rowVersion: user.rowVersion },
    options,
  );
  expect(changed).toMatchObject({ displayName: 'Carol C.', rowVersion: user.rowVersion + 1 });
  expect(await reasonOf(usersOf(stack).updateUser({ ...change, rowVersion: user.rowVersion }, options))).toBe(
    'precondition_failed',
  );
  const found = await usersOf(stack).listUsers({ ...list, search: 'caro' }, options);
  expect(found).toMatchObject({ totalItems: 1, items: [{ id: user.id }] });
  expect((await usersOf(stack).listUsers({ ...list, search: '%' }, options)).totalItems).toBe(0);
  expect((await usersOf(stack).listUsers({ ...list, role: 'requester' }, options)).items).toHaveLength(1);
  const { answer } = await signIn(stack, tenant.name, 'carol', PASSWORD);
  await usersOf(stack).deleteUser({ userId: user.id }, options);
  expect(await reasonOf(usersOf(stack).getUser({ userId: user.id }, options))).toBe('not_found');
  expect(await codeOf(introspectAccess(stack, answer.accessToken))).toBe('session_revoked');
  expect(await codeOf(signIn(stack, tenant.name, 'carol', PASSWORD))).toBe('invalid_credentials');
  const actions = (await auditOf(stack, tenant.id)).filter((event) => event.subjectId === user.id);
  expect(actions.map((event) => event.action)).toEqual(
    expect.arrayContaining(['user.created', 'user.updated', 'user.deleted']),
  );
});

test('names are unique within a tenant in every spelling, and available in another tenant', async () => {
  await newUser(stack, tenant, 'Dave');
  expect(await codeOf(newUser(stack, tenant, 'dave'))).toBe('username_taken');
  expect(await codeOf(newUser(stack, tenant, 'ｄave'))).toBe('username_taken');
  expect(await codeOf(newUser(stack, other, 'dave'))).toBe('ok');
});

test('lists return more than three pages, by number and by cursor, in both directions', async () => {
  const from = await newTenant(stack);
  const options = await asAdministrator(stack, from);
  for (let i = 0; i < 7; i += 1) await newUser(stack, from, `page-${i}`, [], 'machine');
  for (const [sortBy, sortOrder] of [
    ['', ''],
    ['createdAt', 'desc'],
    ['lastLoginAt', 'asc'],
    ['displayName', 'desc'],
  ] as const) {
    const seen: string[] = [];
    let cursor = '';
    do {
      const answer = await usersOf(stack).listUsers(
        { ...list, pageSize: 2, sortBy, sortOrder, cursor },
        options,
      );
      expect(answer).toMatchObject({ totalItems: 8, totalPages: 4 });
      seen.push(...answer.items.map((user) => user.username));
      cursor = answer.nextCursor ?? '';
    } while (cursor);
    expect(new Set(seen).size).toBe(8);
    const third = await usersOf(stack).listUsers(
      { ...list, pageSize: 2, sortBy, sortOrder, page: 3 },
      options,
    );
    expect(third.items.map((user) => user.username)).toEqual(seen.slice(4, 6));
  }
  for (const sortBy of ['passwordHash', '__proto__', 'toString', 'name;drop', '(select 1)']) {
    expect(await reasonOf(usersOf(stack).listUsers({ ...list, sortBy }, options)), sortBy).toBe('invalid');
  }
  for (const search of ["'", '\\', '_', '%', '"']) {
    expect((await usersOf(stack).listUsers({ ...list, search }, options)).totalItems, search).toBe(0);
  }
  expect(await reasonOf(usersOf(stack).listUsers({ ...list, search: '\u0000' }, options))).toBe('invalid');
});

test('objects of another tenant are not found, with the same answer as unknown objects', async () => {
  const theirs = await newUser(stack, other, 'victim');
  const options = await asSteppedUp(stack, tenant);
  const theirRoles = await rolesOf(stack).listRoles(
    { ...page, search: '' },
    await asAdministrator(stack, other),
  );
  const made = await tokensOf(stack).createApiToken(
    { name: 'theirs', userId: '', permissions: [], expiresInDays: 1 },
    await asAdministrator(stack, other),
  );
  const full = (call: Promise<unknown>) =>
    call.then(
      () => 'ok',
      ({ reason, code, message }) => ({ reason, code, message }),
    );
  const calls: ((id: string) => Promise<unknown>)[] = [
    (userId) => usersOf(stack).getUser({ userId }, options),
    (userId) =>
      usersOf(stack).updateUser(
        { userId, displayName: 'x', email: undefined, status: 'disabled', rowVersion: undefined },
        options,
      ),
    (userId) => usersOf(stack).deleteUser({ userId }, options),
    (userId) => usersOf(stack).listUserRoles({ ...page, userId }, options),
    (userId) => usersOf(stack).updateUserRoles({ userId, roles: [] }, options),
    (userId) => usersOf(stack).startPasswordReset({ userId }, options),
    (userId) => usersOf(stack).setUserPassword({ userId, password: PASSWORD }, options),
    (userId) => usersOf(stack).revokeUserSessions({ userId }, options),
    (userId) => usersOf(stack).disableUserMfa({ userId }, options),
    (userId) => usersOf(stack).unlockUser({ userId }, options),
    (userId) =>
      tokensOf(stack).createApiToken({ name: 'n', userId, permissions: [], expiresInDays: 1 }, options),
  ];
  for (const call of calls) {
    const unknown = await full(call(randomUUID()));
    expect(unknown).toMatchObject({ reason: 'not_found' });
    expect(await full(call(theirs.id))).toEqual(unknown);
    expect(await full(call("1' OR '1'='1"))).toEqual(unknown);
  }
  const theirRole = theirRoles.items[0]!.id;
  expect(await reasonOf(rolesOf(stack).getRole({ roleId: theirRole }, options))).toBe('not_found');
  expect(await reasonOf(rolesOf(stack).deleteRole({ roleId: theirRole }, options))).toBe('not_found');
  expect(await reasonOf(tokensOf(stack).revokeApiToken({ apiTokenId: made.apiToken!.id }, options))).toBe(
    'not_found',
  );
  expect(await codeOf(introspectApi(stack, made.token))).toBe('ok');
  const seen = await usersOf(stack).listUsers(list, options);
  expect(seen.items.map((user) => user.id)).not.toContain(theirs.id);
});

test('users cannot grant, remove or take over permissions that they do not hold, or change their own roles', async () => {
  const helpdesk = await roleWith('users.*', 'roles.*', 'api-tokens.*');
  const weak = await newUser(stack, tenant, 'helpdesk', [helpdesk]);
  const target = await newUser(stack, tenant, 'target');
  const machine = await newUser(stack, tenant, 'robot', ['operator'], 'machine');
  const chief = await newUser(stack, tenant, 'chief', ['administrator']);
  const options = await steppedUpAs('helpdesk');
  const users = usersOf(stack);
  const refused: Promise<unknown>[] = [
    users.updateUserRoles({ userId: target.id, roles: ['administrator'] }, options),
    users.updateUserRoles({ userId: chief.id, roles: [] }, options),
    users.setUserPassword({ userId: chief.id, password: PASSWORD }, options),
    users.startPasswordReset({ userId: chief.id }, options),
    users.disableUserMfa({ userId: chief.id }, options),
    users.deleteUser({ userId: chief.id }, options),
    users.createUser(
      { username: 'puppet', displayName: '', email: '', password: PASSWORD, roles: ['operator'], kind: '' },
      options,
    ),
    rolesOf(stack).createRole({ name: 'all', description: '', permissions: ['*'] }, options),
    rolesOf(stack).createRole({ name: 'vault', description: '', permissions: ['vault.*'] }, options),
    tokensOf(stack).createApiToken(
      { name: 'n', userId: machine.id, permissions: [], expiresInDays: 1 },
      options,
    ),
  ];
  for (const code of await Promise.all(refused.map(codeOf))) expect(code).toBe('exceeds_own_permissions');
  expect(await codeOf(users.updateUserRoles({ userId: weak.id, roles: [] }, options))).toBe('own_account');
  for (const name of ['Administrator', 'ADMINISTRATOR', 'administrator ', 'ａdministrator', 'root']) {
    expect(await reasonOf(users.updateUserRoles({ userId: target.id, roles: [name] }, options)), name).toBe(
      'invalid',
    );
  }
  expect(await codeOf(users.updateUserRoles({ userId: target.id, roles: [helpdesk] }, options))).toBe('ok');
});

test('H-052 a removed role has no effect from the next call, even if the actor token still contains it', async () => {
  const reader = await roleWith('users.read', 'users.unlock');
  const user = await newUser(stack, tenant, 'erin', [reader]);
  const { answer, as } = await signIn(stack, tenant.name, 'erin', PASSWORD);
  const before = await introspectAccess(stack, answer.accessToken);
  const stale = await as();
  const options = await asAdministrator(stack, tenant);
  await usersOf(stack).updateUserRoles({ userId: user.id, roles: [] }, options);
  const key = `claviger:live:{${before.sessionId}}`;
  expect(Number(await stack.redis.get(key))).toBeGreaterThan(before.epoch);
  expect(await reasonOf(usersOf(stack).listUsers(list, await as()))).toBe('denied');
  // An older actor token, which still contains the role, is refused too.
  expect(await reasonOf(usersOf(stack).unlockUser({ userId: user.id }, stale))).toBe('denied');
  await usersOf(stack).updateUserRoles({ userId: user.id, roles: [reader] }, options);
  const { items } = await rolesOf(stack).listRoles({ ...page, search: reader }, options);
  const epoch = (await introspectAccess(stack, answer.accessToken)).epoch;
  await rolesOf(stack).updateRole(
    { roleId: items[0]!.id, description: '', permissions: ['roles.read'], rowVersion: items[0]!.rowVersion },
    options,
  );
  expect((await introspectAccess(stack, answer.accessToken)).epoch).toBeGreaterThan(epoch);
  expect(await reasonOf(usersOf(stack).listUsers(list, await as()))).toBe('denied');
});

test('the last administrator cannot be removed, even if two administrators remove each other concurrently', async () => {
  const from = await newTenant(stack);
  const first = from.administrator;
  const users = usersOf(stack);
  const options = await asAdministrator(stack, from);
  const disable = { displayName: undefined, email: undefined, status: 'disabled', rowVersion: undefined };
  expect(await codeOf(users.deleteUser({ userId: first.id }, options))).toBe('last_administrator');
  expect(await codeOf(users.updateUser({ userId: first.id, ...disable }, options))).toBe(
    'last_administrator',
  );
  const second = await newUser(stack, from, 'second', ['administrator']);
  const secondOptions = await signedInAs('second', from);
  const codes = await Promise.all([
    codeOf(retryWhileLocked(() => users.updateUserRoles({ userId: second.id, roles: [] }, options))),
    codeOf(retryWhileLocked(() => users.updateUserRoles({ userId: first.id, roles: [] }, secondOptions))),
  ]);
  expect(codes.filter((code) => code === 'ok')).toHaveLength(1);
  const [left] = await stack.sql<{ count: number }>(
    `SELECT count(*)::int FROM user_roles ur JOIN roles r ON r.id = ur.role_id
     WHERE r.name = 'administrator' AND ur.tenant_id = $1`,
    [from.id],
  );
  expect(left?.count).toBe(1);
});

test('disabling ends sessions, API tokens and reset links, and enabling restores none', async () => {
  const user = await newUser(stack, tenant, 'frank', ['administrator']);
  const users = usersOf(stack);
  const { answer, as } = await signIn(stack, tenant.name, 'frank', PASSWORD);
  const made = await tokensOf(stack).createApiToken(
    { name: 'ci', userId: '', permissions: [], expiresInDays: 1 },
    await as(),
  );
  const options = await asAdministrator(stack, tenant);
  const reset = await users.startPasswordReset({ userId: user.id }, options);
  const stale = await as();
  const set = (status: string) =>
    users.updateUser(
      { userId: user.id, displayName: undefined, email: undefined, status, rowVersion: undefined },
      options,
    );
  await set('disabled');
  const everything = async () => [
    await codeOf(introspectAccess(stack, answer.accessToken)),
    await codeOf(introspectApi(stack, made.token)),
    await codeOf(authOf(stack).refresh({ refreshToken: answer.refreshToken })),
    await codeOf(authOf(stack).completePasswordReset({ token: reset.resetToken, newPassword: PASSWORD })),
    await codeOf(usersOf(stack).unlockUser({ userId: user.id }, stale)),
  ];
  const ended = ['session_revoked', 'session_revoked', 'session_revoked', 'link_invalid', 'session_revoked'];
  expect(await everything()).toEqual(ended);
  expect(await codeOf(signIn(stack, tenant.name, 'frank', PASSWORD))).toBe('invalid_credentials');
  await set('active');
  expect(await everything()).toEqual(ended);
  expect(await codeOf(signIn(stack, tenant.name, 'frank', PASSWORD))).toBe('ok');
});

test('revoking ends every session of a user immediately, including API tokens, and affects no other user', async () => {
  const user = await newUser(stack, tenant, 'grace', ['administrator']);
  const sessions = await Promise.all([0, 1, 2].map(() => signIn(stack, tenant.name, 'grace', PASSWORD)));
  const made = await tokensOf(stack).createApiToken(
    { name: 'ci', userId: '', permissions: [], expiresInDays: 1 },
    await sessions[0]!.as(),
  );
  const options = await asAdministrator(stack, tenant);
  expect(await usersOf(stack).revokeUserSessions({ userId: user.id }, options)).toEqual({
    revokedSessions: 4,
  });
  for (const { answer } of sessions) {
    expect(await codeOf(introspectAccess(stack, answer.accessToken))).toBe('session_revoked');
  }
  expect(await codeOf(introspectApi(stack, made.token))).toBe('session_revoked');
  expect(await codeOf(usersOf(stack).listUsers(list, options))).toBe('ok');
});

test('two administrators who act on each other concurrently do not deadlock', async () => {
  const pair = await Promise.all(
    ['left', 'right'].map(async (name) => ({
      user: await newUser(stack, tenant, name, ['administrator']),
      name,
    })),
  );
  const [left, right] = pair as [(typeof pair)[0], (typeof pair)[0]];
  const log = () => readFile(stack.installation.logFiles.postgres!, 'utf8');
  const before = (await log()).length;
  for (let round = 0; round < 5; round += 1) {
    const [asLeft, asRight] = await Promise.all([steppedUpAs('left'), steppedUpAs('right')]);
    const codes = await Promise.all([
      codeOf(retryWhileLocked(() => usersOf(stack).revokeUserSessions({ userId: right.user.id }, asLeft))),
      codeOf(retryWhileLocked(() => usersOf(stack).revokeUserSessions({ userId: left.user.id }, asRight))),
      codeOf(retryWhileLocked(() => usersOf(stack).disableUserMfa({ userId: left.user.id }, asRight))),
      codeOf(retryWhileLocked(() => usersOf(stack).startPasswordReset({ userId: right.user.id }, asLeft))),
    ]);
    expect(codes).not.toContain('internal');
    expect(codes).not.toContain('unavailable');
  }
  // Only the log of the database distinguishes a deadlock from a wait for a slow disk.
  expect((await log()).slice(before)).not.toContain('deadlock');
});

test('a reset link works once, ends after five wrong secrets, and ends the sessions', async () => {
  const user = await newUser(stack, tenant, 'heidi');
  const options = await asAdministrator(stack, tenant);
  const { answer } = await signIn(stack, tenant.name, 'heidi', PASSWORD);
  const next = 'Seven otters cross the bridge';
  const complete = (token: string, newPassword = next) =>
    codeOf(authOf(stack).completePasswordReset({ token, newPassword }));
  const first = await usersOf(stack).startPasswordReset({ userId: user.id }, options);
  const link = await usersOf(stack).startPasswordReset({ userId: user.id }, options);
  expect(link.resetUrl).toMatch(/^https:\/\/localhost:\d+\/reset#token=cl1_/);
  expect(await complete(first.resetToken)).toBe('link_invalid');
  expect(await complete(link.resetToken, 'heidiheidi12')).toBe('invalid');
  expect(await complete(link.resetToken)).toBe('ok');
  expect(await complete(link.resetToken)).toBe('link_invalid');
  expect(await codeOf(introspectAccess(stack, answer.accessToken))).toBe('session_revoked');
  expect(await codeOf(signIn(stack, tenant.name, 'heidi', next))).toBe('ok');

  const guessed = await usersOf(stack).startPasswordReset({ userId: user.id }, options);
  const secret = guessed.resetToken.slice(4, 47);
  for (let i = 0; i < 5; i += 1) {
    expect(await complete(guessed.resetToken.replace(secret, 'A'.repeat(43)))).toBe('link_invalid');
  }
  expect(await complete(guessed.resetToken)).toBe('link_invalid');
  const dumped = await stack.sql<{ text: string }>('SELECT one_time_links::text AS text FROM one_time_links');
  expect(dumped.some((row) => row.text.includes(secret))).toBe(false);
});

test('a password set by an administrator ends the sessions; users change their own password by another operation', async () => {
  const user = await newUser(stack, tenant, 'ivan');
  const { answer } = await signIn(stack, tenant.name, 'ivan', PASSWORD);
  const options = await asAdministrator(stack, tenant);
  const set = (userId: string, password: string) =>
    codeOf(usersOf(stack).setUserPassword({ userId, password }, options));
  expect(await set(user.id, 'qwertyuiop123')).toBe('invalid');
  expect(await set(user.id, 'Copper kettles whistle softly')).toBe('ok');
  expect(await codeOf(introspectAccess(stack, answer.accessToken))).toBe('session_revoked');
  expect(await set(tenant.administrator.id, PASSWORD)).toBe('own_account');
});

test('built-in roles cannot be changed; custom roles can be changed, and deleted if no user has them', async () => {
  const options = await asAdministrator(stack, tenant);
  const { items } = await rolesOf(stack).listRoles({ ...page, search: '' }, options);
  const builtIn = items.filter((role) => role.builtIn);
  expect(builtIn.map((role) => role.name)).toEqual([
    'administrator',
    'approver',
    'auditor',
    'operator',
    'requester',
  ]);
  const change = { roleId: builtIn[1]!.id, description: '', permissions: ['*'], rowVersion: undefined };
  expect(await codeOf(rolesOf(stack).updateRole(change, options))).toBe('built_in_role');
  expect(await codeOf(rolesOf(stack).deleteRole({ roleId: builtIn[1]!.id }, options))).toBe('built_in_role');
  const make = (name: string, permissions: string[]) =>
    rolesOf(stack).createRole({ name, description: '', permissions }, options);
  for (const permission of ['users.raed', 'users', '**', 'user*', '.*', 'users.*.*']) {
    expect(await reasonOf(make('typo', [permission])), permission).toBe('invalid');
  }
  expect(await reasonOf(make('Upper', []))).toBe('invalid');
  expect(await codeOf(make('auditor', []))).toBe('role_exists');
  const { role } = await make('night-shift', ['vault.*', 'users.read']);
  const user = await newUser(stack, tenant, 'judy', ['night-shift']);
  expect(await codeOf(rolesOf(stack).deleteRole({ roleId: role!.id }, options))).toBe('role_in_use');
  const held = await usersOf(stack).listUserRoles({ ...page, userId: user.id }, options);
  expect(held).toMatchObject({ totalItems: 1, items: [{ name: 'night-shift' }] });
  await usersOf(stack).updateUserRoles({ userId: user.id, roles: [] }, options);
  expect(await codeOf(rolesOf(stack).deleteRole({ roleId: role!.id }, options))).toBe('ok');
  const { items: permissions } = await rolesOf(stack).listPermissions({}, options);
  expect(permissions).toContain('users.read');
});

test('an API token is shown once, stored as a hash, limited, listed by its prefix and revoked immediately', async () => {
  const options = await asAdministrator(stack, tenant);
  const machine = await newUser(stack, tenant, 'pipeline', ['auditor'], 'machine');
  const tokens = tokensOf(stack);
  const create = (permissions: string[], userId = machine.id) =>
    tokens.createApiToken({ name: 'nightly', userId, permissions, expiresInDays: 0 }, options);
  const made = await create(['users.*', 'requests.read', 'vault.entries.retrieve']);
  expect(made.token).toMatch(/^clv_[\w-]{43}_[0-9a-f]{40}$/);
  expect(made.token.startsWith(made.apiToken!.prefix)).toBe(true);
  const days = (Date.parse(made.apiToken!.expiresAt!) - Date.parse(made.apiToken!.createdAt!)) / 86_400_000;
  expect(days).toBe(30);
  const [row] = await stack.sql<{ text: string }>(
    'SELECT api_tokens::text AS text FROM api_tokens WHERE id = $1',
    [made.apiToken!.id],
  );
  expect(row!.text).not.toContain(made.token.slice(12, 47));
  const seen = await introspectApi(stack, made.token);
  const me = await authOf(stack).getCurrentUser({}, { actorToken: seen.actorToken });
  // The result contains the permissions that both the role and the token allow.
  expect(me.permissions).toEqual(['requests.read', 'users.read']);
  const listed = await tokens.listApiTokens({ ...page, userId: machine.id, status: 'active' }, options);
  expect(listed.items[0]).toMatchObject({ prefix: made.apiToken!.prefix, name: 'nightly' });
  expect(listed.items[0]!.lastUsedAt).toBeDefined();
  // With another last digit the checksum does not match.
  const altered = `${made.token.slice(0, -1)}${made.token.endsWith('0') ? '1' : '0'}`;
  expect(await codeOf(introspectApi(stack, altered))).toBe('token_invalid');
  expect(await codeOf(introspectAccess(stack, made.token))).toBe('token_invalid');
  await tokens.revokeApiToken({ apiTokenId: made.apiToken!.id }, options);
  expect(await stack.redis.get(`claviger:live:{${seen.sessionId}}`)).toBe('revoked');
  expect(await codeOf(introspectApi(stack, made.token))).toBe('session_revoked');
  const person = await newUser(stack, tenant, 'kim');
  expect(await codeOf(create([], person.id))).toBe('not_a_machine');
  expect(await reasonOf(create(['nonsense']))).toBe('invalid');
  expect(
    await reasonOf(
      tokens.createApiToken({ name: 'n', userId: machine.id, permissions: [], expiresInDays: 91 }, options),
    ),
  ).toBe('invalid');
  expect(await codeOf(signIn(stack, tenant.name, 'pipeline', PASSWORD))).toBe('invalid_credentials');
});

test('services read names and permissions within one tenant', async () => {
  const user = await newUser(stack, tenant, 'liam', ['approver']);
  const stranger = await newUser(stack, other, 'liam');
  const directory = stack.workflow.client('auth', auth.DirectoryService);
  const within = { tenantId: tenant.id };
  const { users } = await directory.getUserNames({ userIds: [user.id, stranger.id, 'nonsense'] }, within);
  expect(users).toEqual([{ id: user.id, username: 'liam', displayName: '', status: 'active' }]);
  const permissions = await directory.getUserPermissions({ userId: user.id }, within);
  expect(permissions).toMatchObject({ active: true, roles: ['approver'] });
  expect(permissions.permissions).toContain('requests.decide');
  expect(await directory.getUserPermissions({ userId: stranger.id }, within)).toEqual({
    active: false,
    permissions: [],
    roles: [],
  });
  expect(await reasonOf(directory.getUserPermissions({ userId: user.id }))).toBe('invalid');
  const gateway = stack.gateway.client('auth', auth.DirectoryService);
  expect(await reasonOf(gateway.getUserPermissions({ userId: user.id }, within))).toBe('denied');
});

test('no password, token or code is stored in plain text in the database, the outbox or Redis', async () => {
  const { answer } = await signIn(stack, tenant.name, 'liam', PASSWORD);
  const tables = await stack.sql<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'auth'::regnamespace AND relkind = 'r'`,
  );
  const secrets = [PASSWORD, tenant.administrator.password, answer.refreshToken, answer.accessToken];
  for (const { name } of tables) {
    const rows = await stack.sql<{ text: string }>(`SELECT t::text AS text FROM auth.${name} t`);
    for (const { text } of rows) for (const secret of secrets) expect(text).not.toContain(secret);
  }
  for (const key of await stack.redis.keys('*'))
    expect(key).toMatch(/^claviger:(live:\{[0-9a-f-]{36}\}|cluster:\{auth\}:.+)$/);
});
