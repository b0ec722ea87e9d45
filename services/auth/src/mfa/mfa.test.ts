import { auth } from '@claviger/contracts';
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
  PASSWORD,
  type SignedIn,
  signIn,
  startAuth,
  type TestTenant,
  tokensOf,
  usersOf,
} from '../../test-support.ts';
import { stepAt, totpCode } from './totp.ts';

let stack: AuthStack;
let tenant: TestTenant;
beforeAll(async () => {
  stack = await startAuth();
  tenant = await newTenant(stack);
});
afterAll(() => stack?.[Symbol.asyncDispose](), 60_000);

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
function decode32(text: string): Buffer {
  let bits = '';
  for (const letter of text) bits += ALPHABET.indexOf(letter).toString(2).padStart(5, '0');
  return Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)));
}

/** The code of the next step unless told otherwise: accepted now, and not the one that confirmed the factor. */
const codeNow = (secret: string, offset = 1): string =>
  totpCode(decode32(secret), stepAt(Date.now() / 1000) + offset);
const wrongCode = (secret: string): string => {
  const right = [-2, -1, 0, 1, 2].map((offset) => codeNow(secret, offset));
  return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !right.includes(code))!;
};

interface Enrolled {
  readonly user: auth.User;
  readonly secret: string;
  readonly recoveryCodes: string[];
  readonly session: SignedIn;
}

let users = 0;
/** A user with a confirmed factor whose next step is not spent yet. */
async function enrolled(): Promise<Enrolled> {
  users += 1;
  const user = await newUser(stack, tenant, `person-${users}`);
  const session = await signIn(stack, tenant.name, user.username, PASSWORD);
  const { secret } = await authOf(stack).setupMfa({}, await session.as());
  const verified = await authOf(stack).verifyMfa({ code: codeNow(secret, 0) }, await session.as());
  expect(verified).toMatchObject({ mfaEnabled: true, refreshToken: '' });
  return { user, secret, recoveryCodes: verified.recoveryCodes, session };
}

test('H-027 setup shows a secret once; only the latest pending one confirms, and nothing is on before', async () => {
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
  expect(await codeOf(authOf(stack).setupMfa({}, await session.as()))).toBe('mfa_already_enabled');
  expect((await authOf(stack).getCurrentUser({}, await session.as())).user?.mfaEnabled).toBe(true);
  const [row] = await stack.sql<{ found: number }>(
    `SELECT count(*)::int AS found FROM mfa_factors WHERE user_id = $1 AND position($2::bytea IN ciphertext) = 0`,
    [user.id, decode32(second.secret)],
  );
  expect(row?.found).toBe(1);
});

test('a sign-in without the code owes its factor and may do nothing else until the challenge', async () => {
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
  // Gateways that remember the pending session must ask again.
  const full = await introspectAccess(stack, answer.accessToken);
  expect(full.mfaPending).toBe(false);
  expect(full.epoch).toBeGreaterThan(seen.epoch);
  expect(await codeOf(authOf(stack).refresh({ refreshToken: done.refreshToken }))).toBe('ok');
  const claims = JSON.parse(Buffer.from(done.accessToken.split('.')[1]!, 'base64url').toString());
  expect(claims).toMatchObject({ amr: ['pwd', 'otp'], acr: 'mfa', aud: 'claviger-api' });
});

test('H-020 H-022 a code works once, also when thirty try it at the same moment over two nodes', async () => {
  const { user, secret } = await enrolled();
  const { as } = await signIn(stack, tenant.name, user.username, PASSWORD);
  const options = await as();
  const code = codeNow(secret);
  const codes = await Promise.all(
    Array.from({ length: 30 }, () =>
      codeOf(insisting(() => authOf(stack).completeMfaChallenge({ code }, options))),
    ),
  );
  expect(codes.filter((each) => each === 'ok')).toHaveLength(1);
  expect(codes.filter((each) => each === 'mfa_code_used')).toHaveLength(29);
  const other = await signIn(stack, tenant.name, user.username, PASSWORD);
  expect(await codeOf(authOf(stack).completeMfaChallenge({ code }, await other.as()))).toBe('mfa_code_used');
});

test('other spellings of a code are refused as malformed and counted', async () => {
  const { user, secret } = await enrolled();
  const { as } = await signIn(stack, tenant.name, user.username, PASSWORD);
  const options = await as();
  const code = codeNow(secret);
  const spellings = [`${code.slice(0, 3)} ${code.slice(3)}`, ` ${code}`, `${code}\n`, `0${code}`];
  for (const each of spellings) {
    expect(await codeOf(authOf(stack).completeMfaChallenge({ code: each }, options)), each).toBe(
      'mfa_code_malformed',
    );
  }
  const wide = [...code].map((digit) => String.fromCodePoint(0xff10 + Number(digit))).join('');
  expect(await codeOf(authOf(stack).completeMfaChallenge({ code: wide }, options))).toBe(
    'mfa_code_malformed',
  );
  expect(await codeOf(authOf(stack).completeMfaChallenge({ code }, options))).toBe('mfa_locked');
});

test('H-023 five wrong codes lock over fresh sign-ins, not per challenge; an administrator lifts it', async () => {
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

test('H-031 a recovery code replaces the device once, also when two try it at the same moment', async () => {
  const { user, recoveryCodes } = await enrolled();
  const sessions = await Promise.all([0, 1].map(() => signIn(stack, tenant.name, user.username, PASSWORD)));
  const code = recoveryCodes[0]!;
  const codes = await Promise.all(
    sessions.map(async ({ as }) => {
      const options = await as();
      return codeOf(insisting(() => authOf(stack).completeMfaChallenge({ code }, options)));
    }),
  );
  expect(codes.sort()).toEqual(['mfa_code_invalid', 'ok']);
  expect(await codeOf(signIn(stack, tenant.name, user.username, PASSWORD, code))).toBe('mfa_code_invalid');
  const [stored] = await stack.sql<{ found: number }>(
    'SELECT count(*)::int AS found FROM recovery_codes WHERE user_id = $1 AND code_hash = convert_to($2, $3)',
    [user.id, code, 'UTF8'],
  );
  expect(stored?.found).toBe(0);
});

test('new recovery codes end the old ones, and need a fresh factor', async () => {
  const { user, secret, recoveryCodes, session } = await enrolled();
  const fresh = await authOf(stack).regenerateRecoveryCodes({}, await session.as());
  expect(fresh.recoveryCodes).toHaveLength(10);
  await stack.sql(`UPDATE sessions SET mfa_at = now() - interval '11 minutes' WHERE user_id = $1`, [user.id]);
  expect(await codeOf(authOf(stack).regenerateRecoveryCodes({}, await session.as()))).toBe(
    'mfa_not_satisfied',
  );
  expect(await codeOf(authOf(stack).disableMfa({}, await session.as()))).toBe('mfa_not_satisfied');
  // A challenge in a full session is the step-up.
  await authOf(stack).completeMfaChallenge({ code: codeNow(secret) }, await session.as());
  expect(await codeOf(authOf(stack).regenerateRecoveryCodes({}, await session.as()))).toBe('ok');
  expect(await codeOf(signIn(stack, tenant.name, user.username, PASSWORD, recoveryCodes[0]!))).toBe(
    'mfa_code_invalid',
  );
});

test('switching off ends the other sessions; an administrator may do it for somebody else only', async () => {
  const { user, secret, session } = await enrolled();
  const other = await signIn(stack, tenant.name, user.username, PASSWORD, codeNow(secret));
  await authOf(stack).disableMfa({}, await session.as());
  expect(await codeOf(introspectAccess(stack, other.answer.accessToken))).toBe('session_revoked');
  expect((await signIn(stack, tenant.name, user.username, PASSWORD)).answer.mfaRequired).toBe(false);

  const lost = await enrolled();
  const administrator = await asAdministrator(stack, tenant);
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

test('H-029 an API token proves no second factor and changes no way of signing in', async () => {
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
    .client('auth', auth.SessionsServiceService)
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

test('changing the own password needs the old one and a fresh factor where there is one', async () => {
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
