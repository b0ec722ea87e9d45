import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AuthStack,
  actingWith,
  auditOf,
  authOf,
  codeOf,
  introspectAccess,
  introspectUntilCached,
  newTenant,
  retryWhileLocked,
  signIn,
  startAuth,
} from '../../test-support.ts';

let stack: AuthStack;
beforeAll(async () => {
  stack = await startAuth();
});
afterAll(() => stack?.[Symbol.asyncDispose](), 60_000);

test('H-047 a sign-in is introspected until its logout, and refused immediately afterwards', async () => {
  const tenant = await newTenant(stack);
  const { username, password, id } = tenant.administrator;
  const { answer } = await signIn(stack, tenant.name, username, password);
  expect(answer).toMatchObject({ tokenType: 'Bearer', expiresIn: 300, mfaRequired: false });
  expect(answer.token).toBe(answer.accessToken);
  const { seen, live } = await introspectUntilCached(stack, () =>
    introspectAccess(stack, answer.accessToken),
  );
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

test('a refresh rotates the token; reuse within the grace period is a conflict, later it ends the session', async () => {
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

test('a valid access token refreshes without the refresh token, which then ends', async () => {
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

test('of many concurrent refreshes of one token, one gets tokens', async () => {
  const tenant = await newTenant(stack);
  const { username, password } = tenant.administrator;
  const { answer } = await signIn(stack, tenant.name, username, password);
  const codes = await Promise.all(
    Array.from({ length: 20 }, () =>
      codeOf(retryWhileLocked(() => authOf(stack).refresh({ refreshToken: answer.refreshToken }))),
    ),
  );
  expect(codes.filter((code) => code === 'ok')).toHaveLength(1);
  expect(new Set(codes)).toEqual(new Set(['ok', 'refresh_in_progress']));
});

test('no token of a refresh concurrent with a logout outlives the logout', async () => {
  const tenant = await newTenant(stack);
  const { username, password } = tenant.administrator;
  for (let round = 0; round < 8; round += 1) {
    const { answer, as } = await signIn(stack, tenant.name, username, password);
    const options = await as();
    const [refreshed] = await Promise.allSettled([
      authOf(stack).refresh({ refreshToken: answer.refreshToken }),
      retryWhileLocked(() => authOf(stack).logout({}, options)),
    ]);
    if (refreshed.status === 'rejected') continue;
    expect(await codeOf(introspectAccess(stack, refreshed.value.accessToken))).toBe('session_revoked');
    expect(await codeOf(authOf(stack).refresh({ refreshToken: refreshed.value.refreshToken }))).toBe(
      'session_revoked',
    );
  }
});

test('H-051 after a refresh whose transaction failed, the token can still be used once', async () => {
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

test('an idle or expired session is refused', async () => {
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

test('a suspended tenant cannot sign in, and its sessions are refused', async () => {
  const tenant = await newTenant(stack);
  const { username, password } = tenant.administrator;
  const { answer } = await signIn(stack, tenant.name, username, password);
  await stack.sql(`UPDATE tenants SET status = 'suspended', version = version + 1 WHERE id = $1`, [
    tenant.id,
  ]);
  expect(await codeOf(introspectAccess(stack, answer.accessToken))).toBe('session_revoked');
  expect(await codeOf(signIn(stack, tenant.name, username, password))).toBe('invalid_credentials');
});

test('a revoked session is never stored as alive again, and an older epoch never replaces a newer one', async () => {
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

test('an actor token is valid only for the named services', async () => {
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
