import { randomUUID } from 'node:crypto';
import { soleLeadership } from '@claviger/cluster';
import * as auth from '@claviger/contracts/auth/v1/auth';
import { createDatabase } from '@claviger/database';
import type { ClavigerError } from '@claviger/errors';
import { type CallContext, createLogger, loadConfig, readSecretFile } from '@claviger/service-kit';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import {
  type AuthStack,
  actingWith,
  asAdministrator,
  auditOf,
  authOf,
  codeAt,
  codeOf,
  enrolFactor,
  newTenant,
  newUser,
  PASSWORD,
  signIn,
  startAuth,
  type TestTenant,
  usersOf,
} from '../../test-support.ts';
import { configSchema } from '../config.ts';
import { createPasswordHasher } from '../passwords/password-hasher.ts';
import { removeEnded } from '../remove-ended.ts';
import type { AuthSchema } from '../schema.ts';
import type { SignInDeps } from './deps.ts';
import { login } from './login.ts';

let stack: AuthStack;
let tenant: TestTenant;
beforeAll(async () => {
  stack = await startAuth();
  tenant = await newTenant(stack);
});
afterAll(() => stack?.[Symbol.asyncDispose](), 60_000);

const WRONG = 'wrong wrong wrong';
let places = 0;
/** Returns an address without former calls. */
const elsewhere = (): string => {
  places += 1;
  return `198.51.${places >> 8}.${places & 255}`;
};

let users = 0;
/** Creates a user who has signed in from `home`. */
async function resident(): Promise<{ user: auth.User; name: string; home: string }> {
  users += 1;
  const name = `resident-${users}`;
  const user = await newUser(stack, tenant, name);
  const home = elsewhere();
  expect(await codeOf(attempt(name, PASSWORD, home))).toBe('ok');
  return { user, name, home };
}

const attempt = (username: string, password: string, from: string, { of = tenant.name, code = '' } = {}) =>
  authOf(stack).login({ tenant: of, username, password, code }, { sourceAddress: from });
const outcome = (username: string, password: string, from: string, more = {}) =>
  codeOf(attempt(username, password, from, more));

/** Sends five wrong passwords, each from another place. */
async function lockElsewhere(names: readonly string[]): Promise<void> {
  for (let i = 0; i < 5; i += 1)
    expect(await outcome(names[i % names.length]!, WRONG, elsewhere())).toBe('invalid_credentials');
}

const refusal = (call: Promise<unknown>) =>
  call.then(
    () => 'signed in',
    ({ reason, code, message, hint }: ClavigerError) => ({ reason, code, message, hint }),
  );

interface Failures {
  place: string;
  failures: number;
  wait: number;
}
const failuresOf = (userId: string, kind = 'password') =>
  stack.sql<Failures>(
    `SELECT place, failures, coalesce(extract(epoch FROM locked_until - last_failed_at), 0)::int AS wait
     FROM login_failures WHERE subject = $1 AND kind = $2 ORDER BY place`,
    [userId, kind],
  );
const waitOver = (userId: string) =>
  stack.sql(`UPDATE login_failures SET locked_until = now() - interval '1 second' WHERE subject = $1`, [
    userId,
  ]);

test('wrong passwords delay only their own place, longer each time', async () => {
  const { user, name, home } = await resident();
  const from = elsewhere();
  for (const wait of [0, 1, 2, 4, 900]) {
    expect(await outcome(name, WRONG, from)).toBe('invalid_credentials');
    expect((await failuresOf(user.id)).find((row) => row.place === from)?.wait).toBe(wait);
    if (wait === 0) continue;
    const slowed = await attempt(name, PASSWORD, from).catch((error: ClavigerError) => error);
    expect(slowed).toMatchObject({ reason: 'rate_limited', code: 'sign_in_slowed' });
    expect((slowed as ClavigerError).retryAfterSeconds).toBeLessThanOrEqual(wait);
    expect(await outcome(name, PASSWORD, home)).toBe('ok');
    if (wait < 900) await waitOver(user.id);
  }
});

test('H-002 five wrong passwords, under any spelling of the name, lock the account only for unknown places', async () => {
  const { user, name, home } = await resident();
  const network = '2001:db8:0:7';
  expect(await outcome(name, PASSWORD, `${network}::1`)).toBe('ok');
  const unknown = await refusal(attempt('nobody', PASSWORD, elsewhere()));
  expect(unknown).toMatchObject({ reason: 'unauthenticated', code: 'invalid_credentials' });
  expect(await refusal(attempt(name, PASSWORD, elsewhere(), { of: 'no-such-tenant' }))).toEqual(unknown);
  const wide = `ｒ${name.slice(1)}`;
  for (const spelling of [name, name.toUpperCase(), wide, `R${name.slice(1)}`, name])
    expect(await refusal(attempt(spelling, WRONG, elsewhere()))).toEqual(unknown);
  for (const spelling of [` ${name}`, `${name} `, `\u200b${name}`, `${name}\u0007`])
    expect(await outcome(spelling, PASSWORD, elsewhere()), JSON.stringify(spelling)).toBe('invalid');
  // From other places the right password is refused like a wrong one.
  expect(await refusal(attempt(name, PASSWORD, elsewhere()))).toEqual(unknown);
  expect(await refusal(attempt(name, WRONG, elsewhere()))).toEqual(unknown);
  expect(await outcome(name, PASSWORD, home)).toBe('ok');
  expect(await outcome(name, PASSWORD, `${network}:ffff::9`)).toBe('ok');
  expect(await outcome(name, PASSWORD, '2001:db8:0:8::1')).toBe('invalid_credentials');

  const denied = (await auditOf(stack, tenant.id)).filter(
    (event) => event.outcome === 'denied' && event.actorId === user.id,
  );
  expect(denied.map((event) => event.reason)).toEqual([
    ...Array<string>(4).fill('wrong_password'),
    'wrong_password_locked',
    ...Array<string>(3).fill('account_locked'),
  ]);
  const options = await asAdministrator(stack, tenant);
  expect((await usersOf(stack).getUser({ userId: user.id }, options)).user?.locked).toBe(true);
  await usersOf(stack).unlockUser({ userId: user.id }, options);
  expect(await outcome(name, PASSWORD, elsewhere())).toBe('ok');
});

test('a known place is locked only by failures from that place', async () => {
  const { user, name, home } = await resident();
  const office = elsewhere();
  expect(await outcome(name, PASSWORD, office)).toBe('ok');
  for (let i = 0; i < 5; i += 1) {
    expect(await outcome(name, WRONG, home)).toBe('invalid_credentials');
    if (i < 4) await waitOver(user.id);
  }
  expect(await outcome(name, PASSWORD, home)).toBe('sign_in_slowed');
  expect(await failuresOf(user.id)).toEqual([{ place: home, failures: 5, wait: 900 }]);
  for (const from of [office, elsewhere()]) expect(await outcome(name, PASSWORD, from)).toBe('ok');
});

test('H-003 while an account is locked, the right password gets the same answer and does not extend the lock, which then expires', async () => {
  const { user, name } = await resident();
  await lockElsewhere([name]);
  const lock = () =>
    stack.sql(`SELECT locked_until FROM login_failures WHERE subject = $1 AND place = ''`, [user.id]);
  const before = await lock();
  expect(await outcome(name, PASSWORD, elsewhere())).toBe('invalid_credentials');
  expect(await outcome(name, WRONG, elsewhere())).toBe('invalid_credentials');
  expect(await lock()).toEqual(before);
  await waitOver(user.id);
  expect(await outcome(name, PASSWORD, elsewhere())).toBe('ok');
});

test('concurrent wrong passwords are counted exactly, on two replicas, from one place and from many', async () => {
  const { user, name } = await resident();
  const from = elsewhere();
  const here = await Promise.all(Array.from({ length: 24 }, () => outcome(name, WRONG, from)));
  expect(here.filter((code) => code === 'invalid_credentials')).toHaveLength(2);
  expect(here.filter((code) => code === 'sign_in_slowed')).toHaveLength(22);
  expect(await failuresOf(user.id)).toEqual([
    { place: '', failures: 2, wait: 0 },
    { place: from, failures: 2, wait: 1 },
  ]);
  const many = await Promise.all(Array.from({ length: 12 }, () => outcome(name, WRONG, elsewhere())));
  expect(new Set(many)).toEqual(new Set(['invalid_credentials']));
  const rows = await failuresOf(user.id);
  expect(rows.find((row) => row.place === '')).toEqual({ place: '', failures: 5, wait: 900 });
  expect(rows.filter((row) => row.failures === 1)).toHaveLength(12);
});

test('concurrent attempts and unlocks never deadlock', async () => {
  const { user, name } = await resident();
  const options = await asAdministrator(stack, tenant);
  const codes = await Promise.all(
    Array.from({ length: 24 }, (_, i) =>
      i % 3 === 0
        ? codeOf(usersOf(stack).unlockUser({ userId: user.id }, options))
        : outcome(name, WRONG, elsewhere()),
    ),
  );
  expect(new Set(codes)).toEqual(new Set(['ok', 'invalid_credentials']));
});

test('a recovery code with the password opens a locked account from any place, once', async () => {
  const { user, name, home } = await resident();
  const session = await signIn(stack, tenant.name, name, PASSWORD);
  const { recoveryCodes, secret } = await enrolFactor(stack, session);
  const [first, second, third] = recoveryCodes as [string, string, string];
  await lockElsewhere([name]);
  for (let i = 0; i < 5; i += 1) {
    await stack.sql(`UPDATE login_failures SET locked_until = NULL WHERE subject = $1 AND place = $2`, [
      user.id,
      home,
    ]);
    expect(await outcome(name, WRONG, home)).toBe('invalid_credentials');
  }
  expect(await outcome(name, PASSWORD, home)).toBe('sign_in_slowed');
  expect(await outcome(name, PASSWORD, elsewhere(), { code: codeAt(secret, 1) })).toBe('invalid_credentials');

  expect(await outcome(name, PASSWORD, elsewhere(), { code: 'aaaa-bbbb-cccc-dddd' })).toBe(
    'invalid_credentials',
  );
  expect(await outcome(name, WRONG, elsewhere(), { code: first })).toBe('invalid_credentials');
  expect(await outcome(name, PASSWORD, elsewhere(), { code: first })).toBe('ok');
  expect(await outcome(name, PASSWORD, elsewhere(), { code: first })).toBe('invalid_credentials');
  expect(await outcome(name, PASSWORD, home, { code: second })).toBe('ok');
  expect(await outcome(name, PASSWORD, home, { code: codeAt(secret, 1) })).toBe('ok');

  // Attempts with recovery codes are limited for each place.
  const from = elsewhere();
  for (const expected of ['invalid_credentials', 'invalid_credentials', 'sign_in_slowed'])
    expect(await outcome(name, PASSWORD, from, { code: 'aaaa-bbbb-cccc-dddd' })).toBe(expected);
  expect(await outcome(name, PASSWORD, from, { code: third })).toBe('sign_in_slowed');
  expect(await outcome(name, PASSWORD, elsewhere(), { code: third })).toBe('ok');
});

test('with a recovery code, the password is checked only if the code is right; without a second factor, a code unlocks nothing', async () => {
  const { user, name } = await resident();
  const code = 'aaaa-bbbb-cccc-dddd';
  const right = await refusal(attempt(name, PASSWORD, elsewhere(), { code }));
  expect(await refusal(attempt(name, WRONG, elsewhere(), { code }))).toEqual(right);
  expect(right).toMatchObject({ code: 'invalid_credentials' });
  expect(await failuresOf(user.id)).toEqual([]);
  expect((await failuresOf(user.id, 'recovery')).map(({ failures }) => failures)).toEqual([1, 1]);
});

test('wrong codes from unknown places lock the second factor only there; a recovery code is still accepted', async () => {
  const { user, name, home } = await resident();
  const { secret, recoveryCodes } = await enrolFactor(
    stack,
    await signIn(stack, tenant.name, name, PASSWORD),
  );
  const right = [-2, -1, 0, 1, 2].map((offset) => codeAt(secret, offset));
  const wrong = ['000000', '111111', '222222', '333333', '444444', '555555'].find(
    (code) => !right.includes(code),
  )!;
  for (let i = 0; i < 5; i += 1)
    expect(await outcome(name, PASSWORD, elsewhere(), { code: wrong })).toBe('mfa_code_invalid');
  expect((await failuresOf(user.id, 'mfa')).find((row) => row.place === '')?.failures).toBe(5);
  const from = elsewhere();
  const pending = await attempt(name, PASSWORD, from);
  const options = { ...(await actingWith(stack, pending.accessToken)), sourceAddress: from };
  const prove = (code: string) => codeOf(authOf(stack).completeMfaChallenge({ code }, options));
  expect(await prove(codeAt(secret, 1))).toBe('mfa_locked');
  // The password alone does not complete a sign-in, so this place stays unknown.
  expect(
    await stack.sql('SELECT 1 FROM sign_in_places WHERE user_id = $1 AND place = $2', [user.id, from]),
  ).toEqual([]);
  expect(await prove(recoveryCodes[0]!)).toBe('ok');
  expect(
    await stack.sql('SELECT 1 FROM sign_in_places WHERE user_id = $1 AND place = $2', [user.id, from]),
  ).toHaveLength(1);
  expect(await outcome(name, PASSWORD, home, { code: codeAt(secret, 1) })).toBe('ok');
});

test('the operator unlocks an administrator without gaining access, and only a limited number of times', async () => {
  const operator = stack.operator.client('auth', auth.OperatorService);
  const own = await newTenant(stack);
  await newUser(stack, own, 'plain');
  const { username, password, id } = own.administrator;
  const unlock = (address = '', name = username) =>
    operator.unlockAdministrator({ username: name, tenant: own.name, address });
  const lock = async () => {
    for (let i = 0; i < 5; i += 1) await outcome(username, WRONG, elsewhere(), { of: own.name });
  };
  const from = elsewhere();
  await lock();
  expect(await outcome(username, password, from, { of: own.name })).toBe('invalid_credentials');
  expect(await unlock(from)).toEqual({ userId: id, place: from });
  await lock();
  expect(await outcome(username, password, elsewhere(), { of: own.name })).toBe('invalid_credentials');
  expect(await outcome(username, WRONG, from, { of: own.name })).toBe('invalid_credentials');
  expect(await outcome(username, password, from, { of: own.name })).toBe('ok');

  expect(await codeOf(unlock('', 'plain'))).toBe('not_an_administrator');
  expect(await codeOf(unlock('', 'nobody'))).toBe('not_found');
  expect(await codeOf(unlock('not an address'))).toBe('invalid');
  for (const expected of ['ok', 'ok', 'ok', 'ok', 'unlocked_too_often'])
    expect(await codeOf(unlock())).toBe(expected);
  const gateway = stack.gateway.client('auth', auth.OperatorService);
  expect(await codeOf(gateway.unlockAdministrator({ username, tenant: own.name, address: '' }))).toBe(
    'denied',
  );
  const events = (await auditOf(stack, own.id)).filter(
    (event) => event.action === 'auth.administrator.unlocked' && event.outcome === 'allowed',
  );
  expect(events).toHaveLength(5);
  expect(events[0]).toMatchObject({ subjectId: id, details: { place: from } });
});

test('a user who completes a reset link can sign in from there, also while the account is locked', async () => {
  const { user, name } = await resident();
  const options = await asAdministrator(stack, tenant);
  const { resetToken } = await usersOf(stack).startPasswordReset({ userId: user.id }, options);
  const from = elsewhere();
  const next = 'Lanterns over quiet harbours';
  await authOf(stack).completePasswordReset(
    { token: resetToken, newPassword: next },
    { sourceAddress: from },
  );
  await lockElsewhere([name]);
  expect(await outcome(name, next, elsewhere())).toBe('invalid_credentials');
  expect(await outcome(name, next, from)).toBe('ok');
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

test('places are deleted after 30 days, the newest twenty are kept, and counts are deleted after an hour', async () => {
  const { user, name, home } = await resident();
  const known = () =>
    stack.sql<{ place: string }>('SELECT place FROM sign_in_places WHERE user_id = $1', [user.id]);
  await stack.sql(
    `INSERT INTO sign_in_places (tenant_id, user_id, place, last_at)
     SELECT $1, $2, '203.0.113.' || n, now() + make_interval(secs => n) FROM generate_series(1, 20) n`,
    [tenant.id, user.id],
  );
  expect(await outcome(name, PASSWORD, elsewhere())).toBe('ok');
  expect(await known()).toHaveLength(20);
  expect((await known()).map(({ place }) => place)).not.toContain(home);

  await stack.sql(`UPDATE sign_in_places SET last_at = now() - interval '31 days' WHERE user_id = $1`, [
    user.id,
  ]);
  await lockElsewhere([name]);
  expect(await outcome(name, PASSWORD, '203.0.113.9')).toBe('invalid_credentials');
  await stack.sql(
    `UPDATE login_failures SET last_failed_at = now() - interval '61 minutes' WHERE subject = $1`,
    [user.id],
  );
  const database = openDatabase();
  onTestFinished(() => database.close());
  await removeEnded(database, soleLeadership);
  expect(await known()).toEqual([]);
  expect(await failuresOf(user.id)).toEqual([]);
});

test('unknown tenant, unknown user, wrong password and lock cause the same hashes and the same statements', async () => {
  const { name } = await resident();
  const locked = await resident();
  await lockElsewhere([locked.name]);
  const database = openDatabase();
  onTestFinished(() => database.close());
  const hasher = await createPasswordHasher({
    memoryKib: 19_456,
    passes: 2,
    concurrency: 1,
    waiting: 0,
    pepper: Buffer.alloc(32, 7),
  });
  let hashes = 0;
  const deps = {
    database,
    passwords: {
      ...hasher,
      verify: (phc: string | undefined, password: string) => {
        hashes += 1;
        return hasher.verify(phc, password);
      },
    },
    nameHash: (text: string) => `hash of ${text}`,
    logger: createLogger({ service: 'auth', node: 'test', level: 'error' }),
  } as unknown as SignInDeps;
  const query = vi.spyOn(pg.Client.prototype, 'query');
  onTestFinished(() => query.mockRestore());
  /**
   * Attempts a sign-in with a wrong password. Returns the answer, the number of hashes, the texts of all
   * statements, and whether the refusal has a tenant whose log records it.
   */
  const workOf = async (username: string, of: string, code: string, from: string) => {
    query.mockClear();
    hashes = 0;
    const context = { requestId: randomUUID(), sourceAddress: from } as unknown as CallContext;
    const answer = await codeOf(
      login(deps)({ username, password: WRONG, tenant: of, code }, context) as Promise<unknown>,
    );
    const statements = query.mock.calls.map(([first]) =>
      typeof first === 'string' ? first : (first as { text: string }).text,
    );
    return { answer, hashes, statements, logged: context.auditTenantId !== undefined };
  };
  // The platform's log records attempts at unknown tenants.
  await stack.operator.client('auth', auth.OperatorService).createSetupLink({ tenant: '' });
  for (const code of ['', 'aaaa-bbbb-cccc-dddd']) {
    const reference = await workOf(name, tenant.name, code, elsewhere());
    expect(reference).toMatchObject({ answer: 'invalid_credentials', hashes: 1, logged: true });
    expect(reference.statements.length).toBeGreaterThan(4);
    expect(await workOf('nobody', tenant.name, code, elsewhere())).toEqual(reference);
    expect(await workOf(name, 'no-such-tenant', code, elsewhere())).toEqual(reference);
    expect(await workOf(locked.name, tenant.name, code, elsewhere())).toEqual(reference);
    expect(await workOf(locked.name, tenant.name, code, locked.home)).toEqual(reference);
  }
  // A place that has to wait gets this answer for each name, before the hash.
  const from = elsewhere();
  const names = [name, 'nobody', locked.name].map((each) => [each, tenant.name] as const);
  const slowed = [];
  for (const [username, of] of [...names, [name, 'no-such-tenant'] as const]) {
    for (let i = 0; i < 2; i += 1) await workOf(username, of, '', from);
    slowed.push(await workOf(username, of, '', from));
  }
  expect(slowed[0]).toMatchObject({ answer: 'sign_in_slowed', hashes: 0, logged: true });
  for (const each of slowed) expect(each).toEqual(slowed[0]);
});
