import * as auth from '@claviger/contracts/auth/v1/auth';
import type { ClavigerError } from '@claviger/errors';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AuthStack,
  actingWith,
  asAdministrator,
  asSteppedUp,
  auditOf,
  authOf,
  codeAt,
  codeOf,
  continued,
  type Enrolment,
  enrolFactor,
  introspectAccess,
  newTenant,
  newUser,
  PASSWORD,
  retryWhileLocked,
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
  tenant = await newTenant(stack);
});
afterAll(() => stack?.[Symbol.asyncDispose](), 60_000);

/** The code of the next step by default: accepted now, and not the one that confirmed the factor. */
const codeNow = (secret: string, offset = 1): string => codeAt(secret, offset);
const wrongCode = (secret: string): string => {
  const right = [-2, -1, 0, 1, 2].map((offset) => codeNow(secret, offset));
  return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !right.includes(code))!;
};

interface Enrolled extends Enrolment {
  readonly user: auth.User;
}

let users = 0;
/** A user with a confirmed factor whose next step is unused. */
async function enrolled(): Promise<Enrolled> {
  users += 1;
  const user = await newUser(stack, tenant, `person-${users}`);
  return { user, ...(await enrolFactor(stack, await signIn(stack, tenant.name, user.username, PASSWORD))) };
}

test('H-027 set-up shows a secret once; only the latest pending secret can be confirmed, and nothing is enabled before', async () => {
  const user = await newUser(stack, tenant, 'setup');
  const session = await signIn(stack, tenant.name, 'setup', PASSWORD);
  const first = await authOf(stack).setupMfa({}, await session.as());
  expect(first.otpauthUri).toContain(`secret=${first.secret}`);
  const second = await authOf(stack).setupMfa({}, await session.as());
  expect(second.secret).not.toBe(first.secret);
  expect((await signIn(stack, tenant.name, 'setup', PASSWORD)).answer.mfaRequired).toBe(false);
  expect(
    await codeOf(authOf(stack).completeMfaChallenge({ code: codeNow(second.secret) }, await session.as())),
  ).toBe('mfa_not_set_up');
  expect(await codeOf(authOf(stack).verifyMfa({ code: codeNow(first.secret) }, await session.as()))).toBe(
    'mfa_code_invalid',
  );
  const verified = await authOf(stack).verifyMfa({ code: codeNow(second.secret) }, await session.as());
  expect(new Set(verified.recoveryCodes).size).toBe(10);
  const proved = await actingWith(stack, verified.accessToken);
  expect(await codeOf(authOf(stack).setupMfa({}, proved))).toBe('mfa_already_enabled');
  expect((await authOf(stack).getCurrentUser({}, proved)).user?.mfaEnabled).toBe(true);
  const [row] = await stack.sql<{ found: number }>(
    `SELECT count(*)::int AS found FROM mfa_factors WHERE user_id = $1 AND position($2::bytea IN ciphertext) = 0`,
    [user.id, Buffer.from(second.secret)],
  );
  expect(row?.found).toBe(1);
});

const backdate = (userId: string, minutes: number) =>
  stack.sql(
    'UPDATE sessions SET authenticated_at = authenticated_at - make_interval(mins => $2) WHERE user_id = $1',
    [userId, minutes],
  );

test('a stolen session cannot add a factor: five minutes after the sign-in the password is required again', async () => {
  const user = await newUser(stack, tenant, 'stolen');
  const session = await signIn(stack, tenant.name, 'stolen', PASSWORD);
  await backdate(user.id, 6);
  expect(await codeOf(authOf(stack).setupMfa({}, await session.as()))).toBe('password_required');
  const withPassword = async (password: string) =>
    authOf(stack).setupMfaWithPassword({ password }, await session.as());
  expect(await codeOf(withPassword('wrong wrong wrong'))).toBe('current_password_wrong');
  expect(await stack.sql('SELECT 1 FROM mfa_factors WHERE user_id = $1', [user.id])).toEqual([]);
  // A refresh is not a sign-in.
  const renewed = await authOf(stack).refresh({ refreshToken: session.answer.refreshToken });
  const options = await actingWith(stack, renewed.accessToken);
  expect(await codeOf(authOf(stack).setupMfa({}, options))).toBe('password_required');
  const { secret } = await withPassword(PASSWORD);
  expect(await codeOf(authOf(stack).verifyMfa({ code: codeNow(secret) }, await session.as()))).toBe('ok');
});

test('only the session that created a pending factor can confirm it, within ten minutes', async () => {
  const user = await newUser(stack, tenant, 'pending');
  const session = await signIn(stack, tenant.name, 'pending', PASSWORD);
  const other = await signIn(stack, tenant.name, 'pending', PASSWORD);
  const { secret } = await authOf(stack).setupMfa({}, await session.as());
  const confirm = async (by: typeof session) =>
    codeOf(authOf(stack).verifyMfa({ code: codeNow(secret, 0) }, await by.as()));
  expect(await confirm(other)).toBe('mfa_not_set_up');
  await stack.sql(`UPDATE mfa_factors SET created_at = now() - interval '11 minutes' WHERE user_id = $1`, [
    user.id,
  ]);
  expect(await confirm(session)).toBe('mfa_not_set_up');
  await stack.sql('UPDATE mfa_factors SET created_at = now() WHERE user_id = $1', [user.id]);
  expect(await confirm(session)).toBe('ok');
});

test('the first factor ends the other sessions and all former tokens of its own session', async () => {
  const user = await newUser(stack, tenant, 'first-factor');
  const other = await signIn(stack, tenant.name, 'first-factor', PASSWORD);
  const before = await signIn(stack, tenant.name, 'first-factor', PASSWORD);
  const { session } = await enrolFactor(stack, before);
  for (const { answer } of [other, before]) {
    expect(await codeOf(introspectAccess(stack, answer.accessToken))).toBe('session_revoked');
    expect(await codeOf(authOf(stack).refresh({ refreshToken: answer.refreshToken }))).toBe(
      'session_revoked',
    );
  }
  expect(await codeOf(introspectAccess(stack, session.answer.accessToken))).toBe('ok');
  expect(await codeOf(authOf(stack).refresh({ refreshToken: session.answer.refreshToken }))).toBe('ok');
  const rows = await stack.sql<{ revoked_reason: string | null }>(
    'SELECT revoked_reason FROM sessions WHERE user_id = $1 ORDER BY revoked_reason NULLS LAST',
    [user.id],
  );
  expect(rows.map((row) => row.revoked_reason)).toEqual(['factor-added', 'second-factor-proved', null]);
});

test('a step-up changes the session id, keeps sign-in time and end, and ends former tokens', async () => {
  const { user, secret, session } = await enrolled();
  await backdate(user.id, 60);
  const before = await introspectAccess(stack, session.answer.accessToken);
  const facts = (sessionId: string) =>
    stack.sql<{ authenticated: number; expires: number }>(
      `SELECT extract(epoch FROM authenticated_at)::int AS authenticated, extract(epoch FROM expires_at)::int AS expires
       FROM sessions WHERE id = $1`,
      [sessionId],
    );
  const done = await authOf(stack).completeMfaChallenge({ code: codeNow(secret) }, await session.as());
  const after = await introspectAccess(stack, done.accessToken);
  expect(after.sessionId).not.toBe(before.sessionId);
  expect(await facts(after.sessionId)).toEqual(await facts(before.sessionId));
  expect(await codeOf(introspectAccess(stack, session.answer.accessToken))).toBe('session_revoked');
  expect(await codeOf(authOf(stack).refresh({ refreshToken: session.answer.refreshToken }))).toBe(
    'session_revoked',
  );
  expect(await stack.redis.get(`claviger:live:{${before.sessionId}}`)).toBe('revoked');
  expect(await codeOf(authOf(stack).refresh({ refreshToken: done.refreshToken }))).toBe('ok');
  // The new session keeps the sign-in time, so it does not prove a password within the last five minutes.
  await authOf(stack).disableMfa({}, await actingWith(stack, done.accessToken));
  expect(await codeOf(authOf(stack).setupMfa({}, await actingWith(stack, done.accessToken)))).toBe(
    'password_required',
  );
});

test('of several sessions that confirm a factor concurrently, one succeeds and is the only one that remains', async () => {
  const user = await newUser(stack, tenant, 'at-once');
  const sessions = await Promise.all(
    Array.from({ length: 4 }, () => signIn(stack, tenant.name, 'at-once', PASSWORD)),
  );
  const { secret } = await authOf(stack).setupMfa({}, await sessions[0]!.as());
  const code = codeNow(secret, 0);
  const options = await Promise.all(sessions.map(({ as }) => as()));
  const codes = await Promise.all([
    ...[0, 0, 1].map((i) => codeOf(retryWhileLocked(() => authOf(stack).verifyMfa({ code }, options[i]!)))),
    ...[2, 3].map((i) =>
      codeOf(retryWhileLocked(() => authOf(stack).completeMfaChallenge({ code }, options[i]!))),
    ),
  ]);
  expect(codes.filter((each) => each === 'ok')).toHaveLength(1);
  expect(codes).not.toContain('internal');
  const live = await stack.sql('SELECT 1 FROM sessions WHERE user_id = $1 AND revoked_at IS NULL', [user.id]);
  expect(live).toHaveLength(1);
});

test('a sign-in without the code permits only the challenge', async () => {
  const { user, secret } = await enrolled();
  const { answer, as } = await signIn(stack, tenant.name, user.username, PASSWORD);
  expect(answer).toMatchObject({ mfaRequired: true, refreshToken: '', user: undefined });
  const seen = await introspectAccess(stack, answer.accessToken);
  expect(seen.mfaPending).toBe(true);
  const options = await as();
  const password = { currentPassword: PASSWORD, newPassword: `${PASSWORD}!` };
  expect(await codeOf(authOf(stack).getCurrentUser({}, options))).toBe('mfa_required');
  expect(await codeOf(authOf(stack).setupMfa({}, options))).toBe('mfa_required');
  expect(await codeOf(authOf(stack).changeMyPassword(password, options))).toBe('mfa_required');
  expect(await codeOf(authOf(stack).refresh({ refreshToken: '' }, options))).toBe('mfa_required');
  const done = await authOf(stack).completeMfaChallenge({ code: codeNow(secret) }, options);
  expect(done).toMatchObject({ mfaRequired: false, user: { id: user.id } });
  const full = await introspectAccess(stack, done.accessToken);
  expect(full.mfaPending).toBe(false);
  expect(full.sessionId).not.toBe(seen.sessionId);
  expect(await codeOf(introspectAccess(stack, answer.accessToken))).toBe('session_revoked');
  expect(await stack.redis.get(`claviger:live:{${seen.sessionId}}`)).toBe('revoked');
  expect(await codeOf(authOf(stack).refresh({ refreshToken: done.refreshToken }))).toBe('ok');
  const claims = JSON.parse(Buffer.from(done.accessToken.split('.')[1]!, 'base64url').toString());
  expect(claims).toMatchObject({ amr: ['pwd', 'otp'], acr: 'mfa', aud: 'claviger-api' });
});

test('H-020 H-022 a code works once, also with thirty concurrent attempts on two replicas', async () => {
  const { user, secret } = await enrolled();
  const sessions = await Promise.all(
    [0, 1, 2].map(async () => (await signIn(stack, tenant.name, user.username, PASSWORD)).as()),
  );
  const code = codeNow(secret);
  const codes = await Promise.all(
    Array.from({ length: 30 }, (_, i) =>
      codeOf(retryWhileLocked(() => authOf(stack).completeMfaChallenge({ code }, sessions[i % 3]!))),
    ),
  );
  expect(codes.filter((each) => each === 'ok')).toHaveLength(1);
  // In the session that succeeded, the former id has ended; in the other two the code is used.
  expect(codes.filter((each) => each === 'session_revoked')).toHaveLength(9);
  expect(codes.filter((each) => each === 'mfa_code_used')).toHaveLength(20);
  const other = await signIn(stack, tenant.name, user.username, PASSWORD);
  expect(await codeOf(authOf(stack).completeMfaChallenge({ code }, await other.as()))).toBe('mfa_code_used');
});

/** Returns the code as apps show it, as pasted text and in full-width digits. */
const spellingsOf = (code: string): string[] => [
  `${code.slice(0, 3)} ${code.slice(3)}`,
  `${code.slice(0, 3)}\u00a0${code.slice(3)}`,
  `${code.slice(0, 3)}\u2011${code.slice(3)}`,
  ` ${code}\r\n`,
  [...code].map((digit) => String.fromCodePoint(0xff10 + Number(digit))).join(''),
];
const failuresOf = (userId: string) =>
  stack.sql('SELECT kind, place, failures FROM login_failures WHERE subject = $1', [userId]);

test('H-021 a code is accepted in each spelling by each operation, a used code in none', async () => {
  const user = await newUser(stack, tenant, 'spellings');
  const session = await signIn(stack, tenant.name, 'spellings', PASSWORD);
  const { secret } = await authOf(stack).setupMfa({}, await session.as());
  const [confirming] = spellingsOf(codeNow(secret, 0));
  const verified = await authOf(stack).verifyMfa({ code: confirming! }, await session.as());
  const code = codeNow(secret);
  const [spaced, noBreak, , pasted] = spellingsOf(code);
  const signedIn = await signIn(stack, tenant.name, 'spellings', PASSWORD, noBreak);
  expect(signedIn.answer.mfaRequired).toBe(false);
  const { as } = await signIn(stack, tenant.name, 'spellings', PASSWORD);
  for (const each of [code, ...spellingsOf(code)]) {
    expect(await codeOf(authOf(stack).completeMfaChallenge({ code: each }, await as())), each).toBe(
      'mfa_code_used',
    );
    expect(await codeOf(signIn(stack, tenant.name, 'spellings', PASSWORD, each)), each).toBe('mfa_code_used');
  }
  // Makes the code unused again: for a challenge, and for a step-up in the resulting session.
  const unused = () => stack.sql('UPDATE mfa_factors SET last_step = 0 WHERE user_id = $1', [user.id]);
  await unused();
  const done = await authOf(stack).completeMfaChallenge({ code: spaced! }, await as());
  await unused();
  const full = await actingWith(stack, done.accessToken);
  expect(await codeOf(authOf(stack).completeMfaChallenge({ code: pasted! }, full))).toBe('ok');
  const [recovery] = verified.recoveryCodes;
  const typed = ` ${recovery!.toUpperCase().replaceAll('-', ' ')}\n`;
  expect(await codeOf(signIn(stack, tenant.name, 'spellings', PASSWORD, typed))).toBe('ok');
  expect(await codeOf(signIn(stack, tenant.name, 'spellings', PASSWORD, recovery))).toBe(
    'invalid_credentials',
  );
});

test('H-021 a malformed code is refused as an invalid field, is not counted and locks no account', async () => {
  const { user, secret } = await enrolled();
  const { as } = await signIn(stack, tenant.name, user.username, PASSWORD);
  const challenge = async (code: string) => codeOf(authOf(stack).completeMfaChallenge({ code }, await as()));
  const noCodes = [`0${codeNow(secret)}`, '12345', 'abcdef', 'abcd-efgh-ijkl-mno', ' \n', '12 34'];
  for (const each of noCodes) {
    expect(await challenge(each), each).toBe('mfa_code_malformed');
    const refused = signIn(stack, tenant.name, user.username, PASSWORD, each);
    await expect(refused, each).rejects.toMatchObject({ reason: 'invalid', code: 'mfa_code_malformed' });
    // The answer concerns only the field and does not reveal whether the password is right.
    expect(await codeOf(signIn(stack, tenant.name, user.username, 'wrong wrong wrong', each)), each).toBe(
      'mfa_code_malformed',
    );
  }
  expect(await failuresOf(user.id)).toEqual([]);
  expect(await challenge(codeNow(secret))).toBe('ok');
});

test('the refusal for a locked second factor contains the remaining seconds, after which the lock has ended', async () => {
  const { user, secret } = await enrolled();
  for (let i = 0; i < 5; i += 1) {
    const from = { sourceAddress: `198.51.100.${i}` };
    const { answer } = await signIn(stack, tenant.name, user.username, PASSWORD);
    const options = { ...(await actingWith(stack, answer.accessToken)), ...from };
    expect(await codeOf(authOf(stack).completeMfaChallenge({ code: wrongCode(secret) }, options))).toBe(
      'mfa_code_invalid',
    );
  }
  const pending = await signIn(stack, tenant.name, user.username, PASSWORD);
  const options = { ...(await pending.as()), sourceAddress: '198.51.100.200' };
  const prove = () => authOf(stack).completeMfaChallenge({ code: codeNow(secret) }, options);
  const sooner = (seconds: number) =>
    stack.sql(
      `UPDATE login_failures SET locked_until = locked_until - make_interval(secs => $2) WHERE subject = $1`,
      [user.id, seconds],
    );
  const restNow = async () => {
    const [row] = await stack.sql<{ rest: number }>(
      `SELECT extract(epoch FROM max(locked_until) - clock_timestamp())::float AS rest FROM login_failures
       WHERE subject = $1`,
      [user.id],
    );
    return row!.rest;
  };
  await sooner(600.5);
  const most = await restNow();
  const refused = (await prove().catch((error: unknown) => error)) as ClavigerError;
  const least = await restNow();
  expect(refused).toMatchObject({ reason: 'rate_limited', code: 'mfa_locked' });
  expect(most).toBeLessThan(300);
  expect(refused.retryAfterSeconds).toBeGreaterThanOrEqual(Math.ceil(least));
  expect(refused.retryAfterSeconds).toBeLessThanOrEqual(Math.ceil(most));
  expect(refused.hint).toContain(`in ${refused.retryAfterSeconds} seconds`);
  await sooner(refused.retryAfterSeconds!);
  expect(await codeOf(prove())).toBe('ok');
});

test('H-023 wrong codes are counted over all challenges; five lock the factor, and an administrator unlocks it', async () => {
  const { user, secret } = await enrolled();
  for (let i = 0; i < 5; i += 1) {
    const { as } = await signIn(stack, tenant.name, user.username, PASSWORD);
    expect(await codeOf(authOf(stack).completeMfaChallenge({ code: wrongCode(secret) }, await as()))).toBe(
      'mfa_code_invalid',
    );
  }
  const [lock] = await stack.sql<{ quarter: boolean }>(
    `SELECT locked_until - last_failed_at = interval '15 minutes' AS quarter FROM login_failures
     WHERE kind = 'mfa' AND subject = $1`,
    [user.id],
  );
  expect(lock?.quarter).toBe(true);
  const { as } = await signIn(stack, tenant.name, user.username, PASSWORD);
  expect(await codeOf(authOf(stack).completeMfaChallenge({ code: codeNow(secret) }, await as()))).toBe(
    'mfa_locked',
  );
  expect(await codeOf(signIn(stack, tenant.name, user.username, PASSWORD, codeNow(secret)))).toBe(
    'mfa_locked',
  );
  await usersOf(stack).unlockUser({ userId: user.id }, await asAdministrator(stack, tenant));
  expect(await codeOf(signIn(stack, tenant.name, user.username, PASSWORD, codeNow(secret)))).toBe('ok');
  const reasons = (await auditOf(stack, tenant.id)).filter(
    (event) =>
      event.action === 'auth.mfa.challenged' && event.actorId === user.id && event.outcome !== 'allowed',
  );
  expect(reasons).toHaveLength(6);
});

test('H-031 a recovery code replaces the device once, also with two concurrent attempts', async () => {
  const { user, recoveryCodes } = await enrolled();
  const sessions = await Promise.all([0, 1].map(() => signIn(stack, tenant.name, user.username, PASSWORD)));
  const code = recoveryCodes[0]!;
  const codes = await Promise.all(
    sessions.map(async ({ as }) => {
      const options = await as();
      return codeOf(retryWhileLocked(() => authOf(stack).completeMfaChallenge({ code }, options)));
    }),
  );
  expect(codes.sort()).toEqual(['mfa_code_invalid', 'ok']);
  expect(await codeOf(signIn(stack, tenant.name, user.username, PASSWORD, code))).toBe('invalid_credentials');
  const [stored] = await stack.sql<{ found: number }>(
    'SELECT count(*)::int AS found FROM recovery_codes WHERE user_id = $1 AND code_hash = convert_to($2, $3)',
    [user.id, code, 'UTF8'],
  );
  expect(stored?.found).toBe(0);
});

test('new recovery codes end the old ones and require a recent factor', async () => {
  const { user, secret, recoveryCodes, session } = await enrolled();
  const fresh = await authOf(stack).regenerateRecoveryCodes({}, await session.as());
  expect(fresh.recoveryCodes).toHaveLength(10);
  await stack.sql(`UPDATE sessions SET mfa_at = now() - interval '11 minutes' WHERE user_id = $1`, [user.id]);
  expect(await codeOf(authOf(stack).regenerateRecoveryCodes({}, await session.as()))).toBe(
    'mfa_not_satisfied',
  );
  expect(await codeOf(authOf(stack).disableMfa({}, await session.as()))).toBe('mfa_not_satisfied');
  // A challenge in a session with its second factor is a step-up.
  const done = await authOf(stack).completeMfaChallenge({ code: codeNow(secret) }, await session.as());
  const proved = continued(stack, session, done);
  expect(await codeOf(authOf(stack).regenerateRecoveryCodes({}, await proved.as()))).toBe('ok');
  expect(await codeOf(signIn(stack, tenant.name, user.username, PASSWORD, recoveryCodes[0]!))).toBe(
    'invalid_credentials',
  );
});

test('removing the factor ends the other sessions; an administrator can remove only the factors of other users', async () => {
  const { user, secret, session } = await enrolled();
  const other = await signIn(stack, tenant.name, user.username, PASSWORD, codeNow(secret));
  await authOf(stack).disableMfa({}, await session.as());
  expect(await codeOf(introspectAccess(stack, other.answer.accessToken))).toBe('session_revoked');
  expect((await signIn(stack, tenant.name, user.username, PASSWORD)).answer.mfaRequired).toBe(false);

  const lost = await enrolled();
  const byPassword = await asAdministrator(stack, tenant);
  expect(await codeOf(usersOf(stack).disableUserMfa({ userId: lost.user.id }, byPassword))).toBe(
    'mfa_not_satisfied',
  );
  const administrator = await asSteppedUp(stack, tenant);
  await usersOf(stack).disableUserMfa({ userId: lost.user.id }, administrator);
  expect(await codeOf(introspectAccess(stack, lost.session.answer.accessToken))).toBe('session_revoked');
  expect((await signIn(stack, tenant.name, lost.user.username, PASSWORD)).answer.mfaRequired).toBe(false);
  expect(await codeOf(usersOf(stack).disableUserMfa({ userId: lost.user.id }, administrator))).toBe(
    'mfa_not_set_up',
  );
  expect(
    await codeOf(usersOf(stack).disableUserMfa({ userId: tenant.administrator.id }, administrator)),
  ).toBe('own_account');
});

test('H-029 an API token cannot prove a second factor or change how a person signs in', async () => {
  const { session } = await enrolled();
  await stack.sql(
    `INSERT INTO user_roles SELECT r.tenant_id, s.user_id, r.id FROM roles r, sessions s
     WHERE r.tenant_id = $1 AND r.name = 'administrator' AND s.tenant_id = $1 AND s.id = $2`,
    [tenant.id, (await introspectAccess(stack, session.answer.accessToken)).sessionId],
  );
  const { token } = await tokensOf(stack).createApiToken(
    { name: 'ci', userId: '', permissions: [], expiresInDays: 1 },
    await session.as(),
  );
  const { actorToken } = await stack.gateway
    .client('auth', auth.SessionsService)
    .introspect({ credential: { $case: 'apiToken', value: token }, audiences: ['auth'] });
  expect(await codeOf(authOf(stack).disableMfa({}, { actorToken }))).toBe('mfa_not_satisfied');
  expect(await codeOf(authOf(stack).setupMfa({}, { actorToken }))).toBe('not_for_api_tokens');
  expect(
    await codeOf(
      tokensOf(stack).createApiToken(
        { name: 'n', userId: '', permissions: [], expiresInDays: 1 },
        { actorToken },
      ),
    ),
  ).toBe('not_for_api_tokens');
});

test('changing one’s own password requires the old one and, if there is a factor, a recent proof', async () => {
  const { user, secret, session } = await enrolled();
  const other = await signIn(stack, tenant.name, user.username, PASSWORD, codeNow(secret));
  const change = (
    currentPassword: string,
    newPassword: string,
    options: { actorToken?: string | undefined },
  ) => authOf(stack).changeMyPassword({ currentPassword, newPassword }, options);
  const next = 'Lanterns over quiet harbours';
  expect(await codeOf(change('wrong wrong wrong', next, await session.as()))).toBe('current_password_wrong');
  expect(await codeOf(change(PASSWORD, 'short', await session.as()))).toBe('invalid');
  expect(await codeOf(change(PASSWORD, 'password123456', await session.as()))).toBe('invalid');
  await stack.sql(`UPDATE sessions SET mfa_at = now() - interval '11 minutes' WHERE user_id = $1`, [user.id]);
  expect(await codeOf(change(PASSWORD, next, await session.as()))).toBe('mfa_not_satisfied');
  await stack.sql('UPDATE sessions SET mfa_at = now() WHERE user_id = $1', [user.id]);
  expect(await codeOf(change(PASSWORD, next, await actingWith(stack, session.answer.accessToken)))).toBe(
    'ok',
  );
  expect(await codeOf(introspectAccess(stack, other.answer.accessToken))).toBe('session_revoked');
  expect(await codeOf(introspectAccess(stack, session.answer.accessToken))).toBe('ok');
  expect(await codeOf(signIn(stack, tenant.name, user.username, PASSWORD))).toBe('invalid_credentials');
  expect(await codeOf(signIn(stack, tenant.name, user.username, next))).toBe('ok');
});
