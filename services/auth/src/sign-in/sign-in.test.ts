import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AuthStack,
  actingWith,
  asAdministrator,
  auditOf,
  authOf,
  codeOf,
  insisting,
  introspectAccess,
  newTenant,
  newUser,
  noted,
  PASSWORD,
  signIn,
  startAuth,
  usersOf,
} from '../../test-support.ts';

let stack: AuthStack;
beforeAll(async () => {
  stack = await startAuth();
});
afterAll(() => stack?.[Symbol.asyncDispose](), 60_000);

test('H-047 a sign-in is introspected until its logout, and refused at once afterwards', async () => {
  const tenant = await newTenant(stack);
  const { username, password, id } = tenant.administrator;
  const { answer } = await signIn(stack, tenant.name, username, password);
  expect(answer).toMatchObject({ tokenType: 'Bearer', expiresIn: 300, mfaRequired: false });
  expect(answer.token).toBe(answer.accessToken);
  const { seen, live } = await noted(stack, () => introspectAccess(stack, answer.accessToken));
  expect(seen).toMatchObject({ userId: id, tenantId: tenant.id, mfaPending: false });
  const key = `claviger:live:{${seen.sessionId}}`;
  expect(live).toBe(String(seen.epoch));
  expect(await stack.redis.ttl(key)).toBeLessThanOrEqual(60);
  const options = { actorToken: seen.actorToken };
  const me = await authOf(stack).getCurrentUser({}, options);
  expect(me).toMatchObject({ permissions: ['*'], tenant: tenant.name, user: { roles: ['administrator'] } });

  await authOf(stack).logout({}, options);
  expect(await stack.redis.get(key)).toBe('revoked');
  expect(await codeOf(introspectAccess(stack, answer.accessToken))).toBe('session_revoked');
  expect(await codeOf(authOf(stack).refresh({ refreshToken: answer.refreshToken }))).toBe('session_revoked');
  expect(await codeOf(authOf(stack).logout({}, options))).toBe('ok');
  expect(await stack.redis.get(key)).toBe('revoked');
});

test('unknown user, wrong password and locked account get one answer; the audit log tells them apart', async () => {
  const tenant = await newTenant(stack);
  const user = await newUser(stack, tenant, 'alice');
  const attempt = (username: string, password: string, name = tenant.name) =>
    authOf(stack).login({ tenant: name, username, password, code: '' });
  const refusal = (call: Promise<unknown>) =>
    call.then(
      () => 'signed in',
      ({ reason, code, message, hint }) => ({ reason, code, message, hint }),
    );
  const unknown = await refusal(attempt('nobody', PASSWORD));
  expect(unknown).toMatchObject({ reason: 'unauthenticated', code: 'invalid_credentials' });
  expect(await refusal(attempt('alice', PASSWORD, 'no-such-tenant'))).toEqual(unknown);
  // One counter for every spelling of the name.
  for (const name of ['alice', 'Alice', 'ALICE', 'ａlice', 'aLiCe']) {
    expect(await refusal(attempt(name, 'wrong wrong wrong'))).toEqual(unknown);
  }
  expect(await refusal(attempt('alice', PASSWORD))).toEqual(unknown);
  for (const name of [' alice', 'alice ', 'al\u200bice', 'al ice', 'alice\u0007']) {
    expect(await codeOf(attempt(name, PASSWORD)), JSON.stringify(name)).toBe('invalid');
  }
  const denied = (await auditOf(stack, tenant.id)).filter((event) => event.outcome === 'denied');
  expect(denied.map((event) => event.reason)).toEqual([
    'unknown_user',
    'wrong_password',
    'wrong_password',
    'wrong_password',
    'wrong_password',
    'wrong_password_locked',
    'account_locked',
  ]);
  expect(new Set(denied.map((event) => event.actorId))).toEqual(new Set(['', user.id]));
  expect(new Set(denied.map((event) => event.actorName))).toEqual(new Set(['', 'alice']));

  const options = await asAdministrator(stack, tenant);
  expect((await usersOf(stack).getUser({ userId: user.id }, options)).user?.locked).toBe(true);
  await usersOf(stack).unlockUser({ userId: user.id }, options);
  expect(await codeOf(attempt('alice', PASSWORD))).toBe('ok');
});

test('a lock ends by itself and is not extended by tries made meanwhile', async () => {
  const tenant = await newTenant(stack);
  const user = await newUser(stack, tenant, 'bob');
  const attempt = (password: string) =>
    codeOf(authOf(stack).login({ tenant: tenant.name, username: 'bob', password, code: '' }));
  for (let i = 0; i < 5; i += 1) await attempt('wrong wrong wrong');
  const until = async () =>
    (
      await stack.sql<{ locked_until: Date }>('SELECT locked_until FROM login_failures WHERE subject = $1', [
        user.id,
      ])
    )[0]?.locked_until;
  const before = await until();
  expect(before).toBeInstanceOf(Date);
  expect(await attempt('wrong wrong wrong')).toBe('invalid_credentials');
  expect(await until()).toEqual(before);
  await stack.sql(`UPDATE login_failures SET locked_until = now() - interval '1 second' WHERE subject = $1`, [
    user.id,
  ]);
  expect(await attempt(PASSWORD)).toBe('ok');
});

test('a refresh rotates; reuse within the grace is a conflict, later it ends the session', async () => {
  const tenant = await newTenant(stack);
  const { username, password } = tenant.administrator;
  const { answer } = await signIn(stack, tenant.name, username, password);
  const first = answer.refreshToken;
  const second = await authOf(stack).refresh({ refreshToken: first });
  expect(second.refreshToken).not.toBe(first);
  expect(await codeOf(authOf(stack).refresh({ refreshToken: first }))).toBe('refresh_in_progress');
  expect(await codeOf(introspectAccess(stack, second.accessToken))).toBe('ok');
  await stack.sql(
    `UPDATE refresh_tokens SET used_at = now() - interval '11 seconds' WHERE tenant_id = $1 AND used_at IS NOT NULL`,
    [tenant.id],
  );
  expect(await codeOf(authOf(stack).refresh({ refreshToken: first }))).toBe('refresh_token_reused');
  expect(await codeOf(authOf(stack).refresh({ refreshToken: second.refreshToken }))).toBe('session_revoked');
  expect(await codeOf(introspectAccess(stack, second.accessToken))).toBe('session_revoked');
  expect((await auditOf(stack, tenant.id)).map((event) => event.action)).toContain('auth.refresh.reused');
});

test('a valid bearer refreshes without the refresh token, which it supersedes', async () => {
  const tenant = await newTenant(stack);
  const { username, password } = tenant.administrator;
  const { answer, as } = await signIn(stack, tenant.name, username, password);
  const renewed = await authOf(stack).refresh({ refreshToken: '' }, await as());
  expect(await codeOf(introspectAccess(stack, renewed.accessToken))).toBe('ok');
  expect(await codeOf(authOf(stack).refresh({ refreshToken: answer.refreshToken }))).toBe(
    'refresh_in_progress',
  );
  expect(await codeOf(authOf(stack).refresh({ refreshToken: renewed.refreshToken }))).toBe('ok');
  expect(await codeOf(authOf(stack).refresh({ refreshToken: '' }))).toBe('token_invalid');
  expect(await codeOf(authOf(stack).refresh({ refreshToken: 'clr_x' }))).toBe('token_invalid');
});

test('of many that refresh one token at once, one gets tokens', async () => {
  const tenant = await newTenant(stack);
  const { username, password } = tenant.administrator;
  const { answer } = await signIn(stack, tenant.name, username, password);
  const codes = await Promise.all(
    Array.from({ length: 20 }, () =>
      codeOf(insisting(() => authOf(stack).refresh({ refreshToken: answer.refreshToken }))),
    ),
  );
  expect(codes.filter((code) => code === 'ok')).toHaveLength(1);
  expect(new Set(codes)).toEqual(new Set(['ok', 'refresh_in_progress']));
});

test('no token minted by a refresh that races a logout outlives the logout', async () => {
  const tenant = await newTenant(stack);
  const { username, password } = tenant.administrator;
  for (let round = 0; round < 8; round += 1) {
    const { answer, as } = await signIn(stack, tenant.name, username, password);
    const options = await as();
    const [refreshed] = await Promise.allSettled([
      authOf(stack).refresh({ refreshToken: answer.refreshToken }),
      insisting(() => authOf(stack).logout({}, options)),
    ]);
    if (refreshed.status === 'rejected') continue;
    expect(await codeOf(introspectAccess(stack, refreshed.value.accessToken))).toBe('session_revoked');
    expect(await codeOf(authOf(stack).refresh({ refreshToken: refreshed.value.refreshToken }))).toBe(
      'session_revoked',
    );
  }
});

test('H-051 a refresh whose transaction fails leaves the token good for one more use', async () => {
  const tenant = await newTenant(stack);
  const { username, password } = tenant.administrator;
  const { answer } = await signIn(stack, tenant.name, username, password);
  await stack.sql(`CREATE FUNCTION fail_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.tenant_id = '${tenant.id}' THEN RAISE EXCEPTION 'planted'; END IF; RETURN NEW; END $$`);
  await stack.sql(`CREATE CONSTRAINT TRIGGER planted AFTER INSERT ON refresh_tokens DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION fail_commit()`);
  try {
    expect(await codeOf(authOf(stack).refresh({ refreshToken: answer.refreshToken }))).toBe('internal');
  } finally {
    await stack.sql('DROP TRIGGER planted ON refresh_tokens');
    await stack.sql('DROP FUNCTION fail_commit');
  }
  expect(
    await stack.sql('SELECT used_at FROM refresh_tokens WHERE tenant_id = $1', [tenant.id]),
    'the one token, unspent, and no new one',
  ).toEqual([{ used_at: null }]);
  expect(await codeOf(introspectAccess(stack, answer.accessToken))).toBe('ok');
  expect(await codeOf(authOf(stack).refresh({ refreshToken: answer.refreshToken }))).toBe('ok');
  expect(await codeOf(authOf(stack).refresh({ refreshToken: answer.refreshToken }))).toBe(
    'refresh_in_progress',
  );
});

test('an idle or too old session is refused', async () => {
  const tenant = await newTenant(stack);
  const { username, password } = tenant.administrator;
  const idle = await signIn(stack, tenant.name, username, password);
  await stack.sql(`UPDATE sessions SET last_seen_at = now() - interval '31 minutes' WHERE tenant_id = $1`, [
    tenant.id,
  ]);
  expect(await codeOf(introspectAccess(stack, idle.answer.accessToken))).toBe('session_expired');
  const old = await signIn(stack, tenant.name, username, password);
  await stack.sql(`UPDATE sessions SET expires_at = now() WHERE tenant_id = $1`, [tenant.id]);
  expect(await codeOf(introspectAccess(stack, old.answer.accessToken))).toBe('session_expired');
  expect(await codeOf(authOf(stack).refresh({ refreshToken: old.answer.refreshToken }))).toBe(
    'session_expired',
  );
});

test('a suspended tenant is out, and so is every session of it', async () => {
  const tenant = await newTenant(stack);
  const { username, password } = tenant.administrator;
  const { answer } = await signIn(stack, tenant.name, username, password);
  await stack.sql(`UPDATE tenants SET status = 'suspended', version = version + 1 WHERE id = $1`, [
    tenant.id,
  ]);
  expect(await codeOf(introspectAccess(stack, answer.accessToken))).toBe('session_revoked');
  expect(await codeOf(signIn(stack, tenant.name, username, password))).toBe('invalid_credentials');
});

test('a revoked session is never noted as alive again, and an older epoch never replaces a newer one', async () => {
  const tenant = await newTenant(stack);
  const { username, password } = tenant.administrator;
  const { answer } = await signIn(stack, tenant.name, username, password);
  const { sessionId, epoch } = await introspectAccess(stack, answer.accessToken);
  const key = `claviger:live:{${sessionId}}`;
  await stack.redis.set(key, 'revoked', 'EX', 900);
  expect(await codeOf(introspectAccess(stack, answer.accessToken))).toBe('session_revoked');
  expect(await stack.redis.get(key)).toBe('revoked');
  await stack.redis.set(key, String(epoch + 5), 'EX', 60);
  expect(await codeOf(introspectAccess(stack, answer.accessToken))).toBe('unavailable');
  expect(await stack.redis.get(key)).toBe(String(epoch + 5));
});

test('actor tokens say who acts for the named services only', async () => {
  const tenant = await newTenant(stack);
  const { username, password } = tenant.administrator;
  const { answer } = await signIn(stack, tenant.name, username, password);
  const { actorToken } = await introspectAccess(stack, answer.accessToken);
  const claims = JSON.parse(Buffer.from(actorToken.split('.')[1]!, 'base64url').toString()) as {
    aud: string[];
    exp: number;
    iat: number;
  };
  expect(claims.aud).toEqual(['auth']);
  expect(claims.exp - claims.iat).toBe(60);
  expect(await codeOf(authOf(stack).getCurrentUser({}, { actorToken: answer.accessToken }))).toBe(
    'unauthenticated',
  );
  expect(await codeOf(actingWith(stack, actorToken))).toBe('token_invalid');
});
