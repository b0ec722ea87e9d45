import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { soleLeadership } from '@claviger/cluster';
import * as auth from '@claviger/contracts/auth/v1/auth';
import * as emergencyRestriction from '@claviger/contracts/auth/v1/emergency_restriction';
import { createDatabase } from '@claviger/database';
import { createLogger, loadConfig, readSecretFile } from '@claviger/service-kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AuthStack,
  auditOf,
  authOf,
  codeOf,
  devicesOf,
  introspectAccess,
  introspectAgent,
  newTenant,
  PASSWORD,
  reasonOf,
  retryWhileLocked,
  signIn,
  startAuth,
} from '../../test-support.ts';
import { configSchema } from '../config.ts';
import { openTenantKeys } from '../mfa/tenant-keys.ts';
import { removeEnded } from '../remove-ended.ts';
import { syncBuiltInRoles } from '../roles/sync-built-in-roles.ts';
import type { AuthSchema } from '../schema.ts';

let stack: AuthStack;
beforeAll(async () => {
  stack = await startAuth();
});
afterAll(() => stack?.[Symbol.asyncDispose](), 60_000);

const operatorOf = () => stack.operator.client('auth', auth.OperatorService);
const setup = (token: string, username = 'first') =>
  authOf(stack).completeSetup({ token, username, password: PASSWORD, displayName: '', email: '' });

test('of fifty concurrent first administrators of a new installation, one is created', async () => {
  const results = await Promise.allSettled(
    Array.from({ length: 50 }, (_, i) =>
      operatorOf().bootstrapAdministrator({ username: `root-${i}`, tenant: '' }),
    ),
  );
  const made = results.filter((result) => result.status === 'fulfilled').map((result) => result.value);
  expect(made).toHaveLength(1);
  const { username, password, tenantId, userId } = made[0]!;
  const { answer } = await signIn(stack, '', username, password);
  expect(answer.user).toMatchObject({ id: userId, roles: ['administrator'] });
  expect(await codeOf(operatorOf().bootstrapAdministrator({ username: 'again', tenant: '' }))).toBe(
    'already_set_up',
  );
  expect((await operatorOf().createSetupLink({ tenant: '' })).setupUrl).toBeUndefined();
  const actions = (await auditOf(stack, tenantId)).filter((event) => event.outcome === 'allowed');
  expect(actions.map((event) => event.action)).toEqual([
    'tenant.provisioned',
    'auth.administrator.bootstrapped',
    'auth.login',
    'auth.setup-link.not-needed',
  ]);
});

test('a set-up link creates the first administrator once, and only the latest link works', async () => {
  const name = `t-${randomUUID()}`;
  const { tenantId } = await operatorOf().provisionTenant({ name, displayName: 'One' });
  const earlier = await operatorOf().createSetupLink({ tenant: name });
  const link = await operatorOf().createSetupLink({ tenant: name });
  expect(link.setupUrl).toMatch(/^https:\/\/localhost:\d+\/setup#token=/);
  const tokenOf = (url: string | undefined) => url!.split('#token=')[1]!;
  const token = tokenOf(link.setupUrl);
  expect(await codeOf(setup(tokenOf(earlier.setupUrl)))).toBe('link_invalid');
  expect(await codeOf(setup('nonsense'))).toBe('link_invalid');
  const results = await Promise.all(
    [0, 1, 2, 3].map((i) => codeOf(retryWhileLocked(() => setup(token, `first-${i}`)))),
  );
  expect(results.filter((code) => code === 'ok')).toHaveLength(1);
  expect(await codeOf(setup(token))).toBe('already_set_up');
  const [{ count } = { count: 0 }] = await stack.sql<{ count: number }>(
    'SELECT count(*)::int FROM users WHERE tenant_id = $1',
    [tenantId],
  );
  expect(count).toBe(1);
});

test('tenant names are unique, and an unknown tenant is not found', async () => {
  const name = `t-${randomUUID()}`;
  const codes = await Promise.all(
    [0, 1, 2].map(() =>
      codeOf(retryWhileLocked(() => operatorOf().provisionTenant({ name, displayName: '' }))),
    ),
  );
  expect(codes.sort()).toEqual(['ok', 'tenant_exists', 'tenant_exists']);
  expect(await reasonOf(operatorOf().bootstrapAdministrator({ username: 'a', tenant: 'no-such' }))).toBe(
    'not_found',
  );
  expect(await reasonOf(operatorOf().provisionTenant({ name: 'Bad Name', displayName: '' }))).toBe('invalid');
});

test('the gateway cannot call operations of the operator', async () => {
  const gateway = stack.gateway.client('auth', auth.OperatorService);
  expect(await reasonOf(gateway.bootstrapAdministrator({ username: 'mallory', tenant: '' }))).toBe('denied');
});

test('without Redis a revocation is stored but answered as unavailable, and sign-ins work', async () => {
  const tenant = await newTenant(stack);
  const { username, password } = tenant.administrator;
  const { answer, as } = await signIn(stack, tenant.name, username, password);
  await stack.installation.servers.redis.stop();
  // A repetition with the same key completes it.
  const options = { ...(await as()), idempotencyKey: randomUUID() };
  try {
    expect(await codeOf(introspectAccess(stack, answer.accessToken))).toBe('ok');
    expect(await codeOf(signIn(stack, tenant.name, username, password))).toBe('ok');
    expect(await codeOf(authOf(stack).logout({}, options))).toBe('liveness_unavailable');
    expect(await codeOf(introspectAccess(stack, answer.accessToken))).toBe('session_revoked');
  } finally {
    await stack.installation.servers.redis.start();
  }
  await expect.poll(() => codeOf(authOf(stack).logout({}, options))).toBe('ok');
});

test('without the database every answer reports an outage, not a refused credential', async () => {
  const tenant = await newTenant(stack);
  const { username, password } = tenant.administrator;
  const { answer } = await signIn(stack, tenant.name, username, password);
  await stack.sql('ALTER TABLE sessions RENAME TO sessions_away');
  try {
    expect(await reasonOf(introspectAccess(stack, answer.accessToken))).not.toBe('unauthenticated');
  } finally {
    await stack.sql('ALTER TABLE sessions_away RENAME TO sessions');
  }
  expect(await codeOf(introspectAccess(stack, answer.accessToken))).toBe('ok');
});

const openDatabase = () => {
  const { database } = loadConfig(configSchema, stack.installation.layout.configFile('auth-1'));
  return createDatabase<AuthSchema>({
    ...database,
    password: readSecretFile(database.passwordFile),
    systemPassword: readSecretFile(database.systemPasswordFile),
    applicationName: 'test',
  });
};

test('a wrong or missing root key seals the service and replaces nothing', async () => {
  const tenant = await newTenant(stack);
  const { layout, dataDir } = stack.installation;
  const logger = createLogger({ service: 'test', node: 'test', level: 'silent' });
  const wrong = join(dataDir, 'wrong-root-key');
  await writeFile(wrong, `${'ab'.repeat(31)}cd`, { mode: 0o600 });
  const database = openDatabase();
  try {
    const before = await stack.sql('SELECT * FROM root_key_canary');
    for (const file of [wrong, join(dataDir, 'no-such-root-key')]) {
      const keys = await openTenantKeys(database, { provider: 'file', path: file }, logger);
      expect(keys.seal.status()).toMatchObject({
        state: 'sealed',
        problem: expect.stringMatching(/root key/),
      });
      expect(await codeOf(database.withTenant(tenant.id, (tx) => keys.create(tx, tenant.id)))).toBe('sealed');
      expect(await codeOf(database.withTenant(tenant.id, (tx) => keys.current(tx, tenant.id)))).toBe(
        'sealed',
      );
      keys.close();
    }
    expect(await stack.sql('SELECT * FROM root_key_canary')).toEqual(before);
    const path = layout.secret('auth-root-key');
    const right = await openTenantKeys(database, { provider: 'file', path }, logger);
    expect(right.seal.status()).toMatchObject({ state: 'open', problem: '' });
    right.close();
  } finally {
    await database.close();
  }
});

test('housekeeping removes only rows that ended long ago', async () => {
  const tenant = await newTenant(stack);
  const { username, password } = tenant.administrator;
  const old = await signIn(stack, tenant.name, username, password);
  const { sessionId } = await introspectAccess(stack, old.answer.accessToken);
  const live = await signIn(stack, tenant.name, username, password);
  const caller = await live.as();
  const enrolled = await devicesOf(stack).enrolDevice(
    { hostname: 'host', siteId: '', os: '', resourceId: '' },
    caller,
  );
  const device = enrolled.device!;
  const tokens = () =>
    stack.sql<{ id: string }>('SELECT id FROM agent_tokens WHERE device_id = $1', [device.id]);
  const [first] = await tokens();
  await devicesOf(stack).rotateAgentToken({ deviceId: device.id }, caller);
  const { agentToken } = await devicesOf(stack).rotateAgentToken({ deviceId: device.id }, caller);
  expect(await tokens()).toHaveLength(3);
  // Last, because the service's own housekeeping may remove them immediately.
  await stack.sql(`UPDATE sessions SET expires_at = now() - interval '8 days' WHERE id = $1`, [sessionId]);
  await stack.sql(`UPDATE agent_tokens SET revoked_at = now() - interval '8 days' WHERE id = $1`, [
    first!.id,
  ]);
  const database = openDatabase();
  try {
    await removeEnded(database, soleLeadership);
  } finally {
    await database.close();
  }
  const kept = (await tokens()).map(({ id }) => id);
  expect(kept).toHaveLength(2);
  expect(kept).not.toContain(first!.id);
  expect((await introspectAgent(stack, agentToken)).userId).toBe(device.id);
  const left = await stack.sql<{ id: string }>('SELECT id FROM sessions WHERE tenant_id = $1', [tenant.id]);
  expect(left.map((row) => row.id)).toEqual([
    (await introspectAccess(stack, live.answer.accessToken)).sessionId,
  ]);
  expect(await codeOf(authOf(stack).refresh({ refreshToken: old.answer.refreshToken }))).toBe(
    'token_invalid',
  );
});

test('housekeeping removes any backlog in statements of at most 5,000 rows, including API tokens', async () => {
  const tenant = await newTenant(stack);
  const ended = "now() - interval '8 days'";
  const count = async (table: string) => {
    const [row] = await stack.sql<{ count: number }>(
      `SELECT count(*)::int FROM ${table} WHERE tenant_id = $1`,
      [tenant.id],
    );
    return row!.count;
  };
  const user = await stack.sql<{ id: string }>('SELECT id FROM users WHERE tenant_id = $1', [tenant.id]);
  const ids = [tenant.id, user[0]!.id];
  const before = { sessions: await count('sessions'), api_tokens: await count('api_tokens') };
  for (const text of [
    `CREATE FUNCTION refuse_many() RETURNS trigger LANGUAGE plpgsql AS $f$
     BEGIN IF (SELECT count(*) FROM gone) > 5000 THEN RAISE EXCEPTION 'too many rows'; END IF; RETURN NULL; END $f$`,
    ...['sessions', 'refresh_tokens', 'one_time_links'].map(
      (table) =>
        `CREATE TRIGGER refuse_many AFTER DELETE ON ${table} REFERENCING OLD TABLE AS gone EXECUTE FUNCTION refuse_many()`,
    ),
  ])
    await stack.sql(text);
  const database = openDatabase();
  try {
    await stack.sql(
      `INSERT INTO sessions (tenant_id, id, user_id, kind, amr, expires_at)
       SELECT $1, gen_random_uuid(), $2, 'user', '{pwd}', ${ended} FROM generate_series(1, 5500)`,
      ids,
    );
    // One session with more refresh tokens than one statement removes.
    await stack.sql(
      `INSERT INTO refresh_tokens (tenant_id, token_hash, session_id, generation)
       SELECT $1, sha256(s.id::text::bytea || n::text::bytea), s.id, n
       FROM (SELECT id FROM sessions WHERE tenant_id = $1 AND expires_at < now() LIMIT 1) s, generate_series(1, 5500) n`,
      [tenant.id],
    );
    await stack.sql(
      `INSERT INTO one_time_links (tenant_id, id, purpose, secret_hash, expires_at)
       SELECT $1, gen_random_uuid(), 'setup', '', ${ended} FROM generate_series(1, 5500)`,
      [tenant.id],
    );
    await stack.sql(
      `WITH made AS (INSERT INTO sessions (tenant_id, id, user_id, kind, amr, expires_at)
         SELECT $1, gen_random_uuid(), $2, 'api-token', '{token}', at FROM (VALUES (${ended}), (now())) AS v (at)
         RETURNING id, expires_at)
       INSERT INTO api_tokens (tenant_id, user_id, session_id, name, prefix, token_hash, permissions, created_by, created_at, expires_at)
       SELECT $1, $2, id, 'old', 'clv_', sha256(id::text::bytea), '{}', $2, expires_at - interval '1 day', expires_at FROM made`,
      ids,
    );
    await removeEnded(database, soleLeadership);
    expect(await count('refresh_tokens')).toBe(0);
    expect(await count('one_time_links')).toBe(0);
    // The token that ended a moment ago stays, with its session.
    expect(await count('api_tokens')).toBe(before.api_tokens + 1);
    expect(await count('sessions')).toBe(before.sessions + 1);
  } finally {
    await database.close();
    await stack.sql('DROP FUNCTION refuse_many CASCADE');
  }
});

test('a restriction by emergency access records one event at its start and one at its end, also if repeated', async () => {
  const tenant = await newTenant(stack);
  const [user] = await stack.sql<{ id: string }>('SELECT id FROM users WHERE tenant_id = $1', [tenant.id]);
  const restriction = stack.workflow.client('auth', emergencyRestriction.EmergencyRestrictionService);
  const sessionId = randomUUID();
  const until = new Date(Date.now() + 3_600_000).toISOString();
  for (const end of [until, until, undefined, undefined])
    await restriction.applyEmergencyRestriction(
      { userId: user!.id, sessionId, until: end },
      { tenantId: tenant.id },
    );
  const events = (await auditOf(stack, tenant.id)).filter(
    ({ action }) => action === 'breakglass.standing.applied',
  );
  expect(events.map(({ details }) => details?.until)).toEqual([until, '']);
  const unknown = restriction.applyEmergencyRestriction(
    { userId: randomUUID(), sessionId, until },
    { tenantId: tenant.id },
  );
  expect(await codeOf(unknown)).toBe('not_found');
});

test('changes of built-in roles reach existing tenants; custom roles stay unchanged', async () => {
  const tenant = await newTenant(stack);
  const roles = async () =>
    new Map(
      (
        await stack.sql<{ name: string; permissions: string[] }>(
          'SELECT name, permissions FROM roles WHERE tenant_id = $1',
          [tenant.id],
        )
      ).map((row) => [row.name, row.permissions]),
    );
  const before = await roles();
  await stack.sql(
    `UPDATE roles SET permissions = '{requests.read}' WHERE tenant_id = $1 AND name = 'auditor'`,
    [tenant.id],
  );
  await stack.sql(
    `INSERT INTO roles (tenant_id, name, permissions) VALUES ($1, 'approver-of-ours', '{requests.read}')`,
    [tenant.id],
  );
  const database = openDatabase();
  try {
    // The service's own housekeeping may have run first.
    await syncBuiltInRoles(database, soleLeadership);
    expect(await syncBuiltInRoles(database, soleLeadership)).toBe(0);
  } finally {
    await database.close();
  }
  expect(await roles()).toEqual(new Map([...before, ['approver-of-ours', ['requests.read']]]));
});
