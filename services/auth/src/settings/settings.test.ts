import { randomUUID } from 'node:crypto';
import * as auth from '@claviger/contracts/auth/v1/auth';
import * as settings from '@claviger/contracts/auth/v1/settings';
import { isClavigerError } from '@claviger/errors';
import type { CallOptions } from '@claviger/service-kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AuthStack,
  auditOf,
  authOf,
  codeOf,
  enrolFactor,
  newTenant,
  newUser,
  PASSWORD,
  page,
  retryWhileLocked,
  signIn,
  startAuth,
  type TestTenant,
} from '../../test-support.ts';

let stack: AuthStack;
let tenant: TestTenant;
/** Uses a new actor token for each call, as gateways do, because one is valid for a minute. */
let admin: () => Promise<CallOptions>;
let platformAdmin: () => Promise<CallOptions>;

const configOf = () => stack.gateway.client('auth', settings.ConfigService);
const NOTHING_ELSE = { rowVersion: undefined, reason: '', defaults: undefined, keys: [], pendingRestart: [] };
const put = (values: object, as: CallOptions, more: object = {}) =>
  configOf().updateConfig({ ...NOTHING_ELSE, values: values as Record<string, unknown>, ...more }, as);
const get = (as: CallOptions) => configOf().getConfig({}, as);

beforeAll(async () => {
  stack = await startAuth();
  const operator = stack.operator.client('auth', auth.OperatorService);
  const made = await operator.bootstrapAdministrator({ username: 'platform.admin', tenant: '' });
  platformAdmin = await withSecondFactor('default', made.username, made.password);
  tenant = await newTenant(stack);
  admin = await sessionOf(tenant);
});
afterAll(() => stack?.[Symbol.asyncDispose](), 60_000);

async function withSecondFactor(
  name: string,
  username: string,
  password: string,
): Promise<() => Promise<CallOptions>> {
  const session = await signIn(stack, name, username, password);
  return (await enrolFactor(stack, session)).session.as;
}

const sessionOf = ({ name, administrator }: TestTenant) =>
  withSecondFactor(name, administrator.username, administrator.password);
const administratorOf = async (of: TestTenant) => (await sessionOf(of))();

async function pointersOf(call: Promise<unknown>): Promise<string[]> {
  try {
    await call;
    return [];
  } catch (error) {
    if (isClavigerError(error)) return error.fields.map(({ pointer }) => pointer);
    throw error;
  }
}

const target = (name: string, token: string) => ({
  name,
  transport: 'https',
  url: `https://${name}.example/in`,
  token,
});

test('a tenant sees only its own settings, the platform sees all, and both see defaults before any change', async () => {
  const own = await get(await administratorOf(await newTenant(stack)));
  expect(own).toMatchObject({ rowVersion: 0, values: { access: { maximumGrantMinutes: 10_080 } } });
  expect(own.keys.map(({ scope }) => scope)).not.toContain('platform');
  expect(own.keys.every(({ source }) => source === 'default')).toBe(true);
  const all = await get(await platformAdmin());
  expect(all.keys.find(({ key }) => key === 'passwords.hashConcurrency')).toMatchObject({
    scope: 'platform',
    restartRequired: true,
  });
});

test('secrets are stored encrypted, shown as placeholders, and unchanged if a placeholder is sent back', async () => {
  const own = await newTenant(stack);
  const as = await administratorOf(own);
  const token = `canary-${randomUUID()}`;
  const first = await put({ siem: { targets: [target('a', token), target('b', '')] } }, as, {
    reason: 'siem',
  });
  expect(first).toMatchObject({ rowVersion: 1, effectiveNow: ['siem.targets'] });
  const read = await get(as);
  expect(read.values).toMatchObject({ siem: { targets: [{ name: 'a', token: '********' }, { token: '' }] } });
  expect(JSON.stringify(read)).not.toContain(token);
  const again = await put(read.values!, as, read);
  expect(again).toMatchObject({ rowVersion: 1, effectiveNow: [] });
  const [row] = await stack.sql<{ found: boolean }>(
    `SELECT bool_or(row_to_json(v)::text LIKE '%' || $1 || '%') OR bool_or(position($1::bytea IN v.ciphertext) > 0) AS found
     FROM config_values v`,
    [token],
  );
  expect(row?.found).toBe(false);
  const [a, b] = (read.values as { siem: { targets: object[] } }).siem.targets;
  await put(
    {
      siem: {
        targets: [
          { ...b, port: undefined },
          { ...a, enabled: false },
        ],
      },
    },
    as,
  );
  const audit = stack.installation && (await readAs('audit', own.id, ['siem']));
  expect(audit.values).toMatchObject({
    siem: { targets: [{ name: 'b' }, { name: 'a', enabled: false, token }] },
  });
  const moved = { siem: { targets: [{ ...a, url: 'https://elsewhere.example/' }] } };
  expect(await pointersOf(put(moved, as))).toEqual(['/values/siem/targets/0/token']);
  const events = (await auditOf(stack, own.id)).filter(({ action }) => action === 'config.updated');
  expect(JSON.stringify(events)).not.toContain(token);
  expect(events[0]).toMatchObject({
    outcome: 'allowed',
    reason: 'siem',
    details: { version: 1, changes: [{ key: 'siem.targets', secretChanged: true }] },
  });
});

test('a refusal names each unknown or invalid setting, and nothing is stored', async () => {
  const refused = async (values: object) => pointersOf(put(values, await admin()));
  expect(await refused({ access: { maximumGrantMinutes: 1, other: true } })).toEqual([
    '/values/access/other',
    '/values/access/maximumGrantMinutes',
  ]);
  expect(await refused({ nothing: {} })).toEqual(['/values/nothing']);
  expect(await refused({ access: 1 })).toEqual(['/values/access']);
  expect(await refused({ assistant: { endpoint: 'https://models.example' } })).toEqual([
    '/values/assistant/model',
  ]);
  expect(await refused({ siem: { targets: [target('x', '********')] } })).toEqual([
    '/values/siem/targets/0/token',
  ]);
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const poisoned = Object.fromEntries([[name, { polluted: true }]]);
    expect(await codeOf(put(poisoned, await admin()))).toMatch(/^(invalid|ok)$/);
    expect(await codeOf(put({ access: poisoned }, await admin()))).toMatch(/^(invalid|ok)$/);
  }
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  expect((await get(await admin())).rowVersion).toBe(0);
});

test('a tenant cannot change settings of the platform, and the refusal names them', async () => {
  const as = await admin();
  const call = put({ access: { maximumGrantMinutes: 60 }, logging: { level: 'debug' } }, as);
  expect(await codeOf(call)).toBe('platform_only');
  expect(await pointersOf(put({ logging: { level: 'debug' } }, as))).toEqual(['/values/logging/level']);
});

test('a change from an old version is refused, and of two concurrent changes one succeeds', async () => {
  const as = await administratorOf(await newTenant(stack));
  const change = (minutes: number) =>
    codeOf(retryWhileLocked(() => put({ access: { maximumGrantMinutes: minutes } }, as, { rowVersion: 0 })));
  const results = await Promise.all([change(60), change(120)]);
  expect(results.sort()).toEqual(['ok', 'precondition_failed']);
  expect(await change(240)).toBe('precondition_failed');
});

test('null resets to the default, and the paged history shows who changed what', async () => {
  const own = await newTenant(stack);
  const as = await administratorOf(own);
  await put({ access: { maximumGrantMinutes: 60 } }, as, { reason: 'shorter' });
  await put({ access: { maximumGrantMinutes: 30 }, assistant: { apiKey: 'canary-key' } }, as);
  await put({ access: { maximumGrantMinutes: null } }, as);
  expect((await get(as)).values).toMatchObject({ access: { maximumGrantMinutes: 10_080 } });
  const newest = await configOf().listConfigVersions({ ...page, pageSize: 2 }, as);
  expect(newest).toMatchObject({ totalItems: 3, items: [{ version: 3 }, { version: 2 }] });
  const oldest = await configOf().listConfigVersions(
    { ...page, pageSize: 2, cursor: newest.nextCursor! },
    as,
  );
  expect(oldest.items).toMatchObject([
    {
      version: 1,
      reason: 'shorter',
      changedById: own.administrator.id,
      keys: ['access.maximumGrantMinutes'],
    },
  ]);
  const second = await configOf().getConfigVersion({ version: '2' }, as);
  expect(second).toMatchObject({
    before: { access: { maximumGrantMinutes: 60 }, assistant: { apiKey: '' } },
    after: { access: { maximumGrantMinutes: 30 }, assistant: { apiKey: '********' } },
  });
  for (const version of ['4', '0', 'x']) {
    expect(await codeOf(configOf().getConfigVersion({ version }, as))).toBe('not_found');
  }
});

test('services read only their sections, with secrets, and get no values if nothing changed', async () => {
  const own = await newTenant(stack);
  const as = await administratorOf(own);
  const key = `canary-${randomUUID()}`;
  await put({ assistant: { endpoint: 'https://models.example', model: 'm', apiKey: key } }, as);
  const read = await readAs('workflow', own.id, ['assistant', 'access']);
  expect(read.values).toEqual({ assistant: { endpoint: 'https://models.example', model: 'm', apiKey: key } });
  expect(await readAs('workflow', own.id, ['assistant'], read.version)).toMatchObject({
    unchanged: true,
    values: undefined,
  });
  expect(await codeOf(readAs('workflow', own.id, ['siem']))).toBe('denied');
  expect(await codeOf(readAs('workflow', own.id, ['__proto__']))).toBe('denied');
  expect(await pointersOf(put({ assistant: { endpoint: 'https://evil.example' } }, as))).toEqual([
    '/values/assistant/apiKey',
  ]);
});

test('a change that needs a restart stays pending for each named replica', async () => {
  // Each replica reports itself at its start, but the start does not wait for the report.
  const reported = () => stack.sql('SELECT node FROM replicas ORDER BY node');
  await expect.poll(reported).toEqual([{ node: 'auth-1' }, { node: 'auth-2' }]);
  const changed = await put({ passwords: { hashConcurrency: 3 } }, await platformAdmin());
  expect(changed.effectiveNow).toEqual([]);
  expect(changed.pendingRestart).toMatchObject([
    { key: 'passwords.hashConcurrency', service: 'auth', nodes: ['auth-1', 'auth-2'] },
  ]);
  // Moves the change to the day before, so that both replicas started after it. Later reports of the replicas
  // have the same result.
  await stack.sql(
    `UPDATE config_versions SET created_at = created_at - interval '1 day' WHERE 'passwords.hashConcurrency' = ANY (keys)`,
  );
  expect((await get(await platformAdmin())).pendingRestart).toEqual([]);
});

test('after a second factor becomes mandatory, sessions without one can only set it up (H-025)', async () => {
  const own = await newTenant(stack);
  await newUser(stack, own, 'before');
  const as = await administratorOf(own);
  const before = await signIn(stack, own.name, 'before', PASSWORD);
  const refresh = () => codeOf(authOf(stack).refresh({ refreshToken: before.answer.refreshToken }));
  await put({ access: { secondFactorMandatory: true } }, as);
  expect(await codeOf(authOf(stack).getCurrentUser({}, await before.as()))).toBe('mfa_required');
  expect(await refresh()).toBe('step_up_required');
  const late = await signIn(stack, own.name, 'before', PASSWORD);
  expect(late.answer).toMatchObject({ mfaRequired: true, mfaSetupRequired: true, refreshToken: '' });
  const { session } = await enrolFactor(stack, before);
  expect(await codeOf(authOf(stack).getCurrentUser({}, await session.as()))).toBe('ok');
  expect(await codeOf(authOf(stack).refresh({ refreshToken: session.answer.refreshToken }))).toBe('ok');
  expect(await refresh()).toBe('session_revoked');
  expect(await codeOf(late.as())).toBe('session_revoked');
});

const readAs = (service: string, tenantId: string, sections: string[], knownVersion = '') =>
  stack
    .peersOf(service)
    .client('auth', settings.SettingsService)
    .readSettings({ sections, knownVersion }, { tenantId });
