import { generateKeyPairSync, randomUUID } from 'node:crypto';
import * as auth from '@claviger/contracts/auth/v1/auth';
import * as license from '@claviger/contracts/auth/v1/license';
import * as settings from '@claviger/contracts/auth/v1/settings';
import * as updates from '@claviger/contracts/auth/v1/updates';
import { type CallOptions, productVersion } from '@claviger/service-kit';
import { CompactSign } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AuthStack,
  asAdministrator,
  codeOf,
  enrolFactor,
  newTenant,
  signIn,
  startAuth,
  usersOf,
} from '../../test-support.ts';

const vendor = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519');
const KID = 'test-vendor';
const DAY = 86_400;

let stack: AuthStack;
/** Uses a new actor token for each call, as gateways do, because one is valid for a minute. */
let platform: () => Promise<CallOptions>;
let installationId: string;

const licenses = () => stack.gateway.client('auth', license.LicenseService);
const apply = async (token: string, as?: CallOptions) =>
  licenses().applyLicense({ license: token, rowVersion: undefined }, as ?? (await platform()));
const current = async () => (await licenses().getLicense({}, await platform())).license!;
const updatesStatus = async () =>
  stack.gateway.client('auth', updates.UpdatesService).getUpdatesStatus({}, await platform());
const epoch = (): number => Math.floor(Date.now() / 1_000);

async function sign(
  claims: object,
  options: { key?: typeof vendor.privateKey; header?: object } = {},
): Promise<string> {
  const payload = { jti: randomUUID(), owner: 'Example Ltd', iat: epoch() - DAY, ...claims };
  return new CompactSign(Buffer.from(JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'EdDSA', typ: 'claviger-licence+jwt', kid: KID, ...options.header })
    .sign(options.key ?? vendor.privateKey);
}

beforeAll(async () => {
  stack = await startAuth();
  const operator = stack.operator.client('auth', auth.OperatorService);
  const made = await operator.bootstrapAdministrator({ username: 'platform.admin', tenant: '' });
  const session = await signIn(stack, 'default', made.username, made.password);
  platform = (await enrolFactor(stack, session)).session.as;
  const publicKey = vendor.publicKey.export({ format: 'jwk' }).x;
  await stack.gateway.client('auth', settings.ConfigService).updateConfig(
    {
      values: { licence: { publicKeys: [{ id: KID, publicKey }] } },
      rowVersion: undefined,
      reason: '',
      defaults: undefined,
      keys: [],
      pendingRestart: [],
    },
    await platform(),
  );
  installationId = (await current()).installationId;
});
afterAll(() => stack?.[Symbol.asyncDispose](), 60_000);

test('without a license all functions work, and only the platform’s tenant can read or apply one', async () => {
  expect(await current()).toMatchObject({ state: 'none', enforce: false, rowVersion: 0 });
  const tenant = await asAdministrator(stack, await newTenant(stack));
  expect(await codeOf(licenses().getLicense({}, tenant))).toBe('platform_only');
  expect(await codeOf(apply(await sign({}), tenant))).toBe('platform_only');
});

test('each kind of invalid license is refused with its own code and not applied (H-330)', async () => {
  const good = await sign({});
  const [header, payload, signature] = good.split('.') as [string, string, string];
  const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'claviger-licence+jwt', kid: KID })).toString(
    'base64url',
  );
  const refusals: [string, string][] = [
    [`${header}.${payload}.`, 'license_unsigned'],
    [`${none}.${payload}.${signature}`, 'license_unsigned'],
    [
      `${header}.${Buffer.from('{"owner":"me"}').toString('base64url')}.${signature}`,
      'license_signature_invalid',
    ],
    [await sign({}, { key: stranger.privateKey }), 'license_signature_invalid'],
    [await sign({}, { header: { kid: 'nobody' } }), 'license_unknown_key'],
    [await sign({}, { header: { typ: 'JWT' } }), 'license_malformed'],
    [await sign({ unheard: 'of' }), 'license_malformed'],
    ['not a license', 'license_malformed'],
    [await sign({ owner: 'x'.repeat(9_000) }), 'license_too_large'],
    [await sign({ installation: randomUUID() }), 'license_other_installation'],
    [await sign({ exp: epoch() - 60 }), 'license_expired'],
    [await sign({ nbf: epoch() + DAY }), 'license_not_yet_valid'],
  ];
  for (const [token, code] of refusals) expect(await codeOf(apply(token)), code).toBe(code);
  expect(await current()).toMatchObject({ state: 'none', rowVersion: 0 });
});

test('a license sets owner, limits and support; applying it again changes nothing', async () => {
  const token = await sign({
    installation: installationId,
    exp: epoch() + DAY,
    supportUntil: epoch() + DAY,
    limits: { users: 1, tenants: 500 },
  });
  const { license } = await apply(` ${token}\n`);
  expect(license).toMatchObject({
    state: 'active',
    owner: 'Example Ltd',
    keyId: KID,
    rowVersion: 1,
    enforce: false,
  });
  expect((await apply(token)).license?.rowVersion).toBe(1);
  const tenant = await newTenant(stack);
  // Reported, not enforced.
  const administrator = await asAdministrator(stack, tenant);
  expect(await codeOf(usersOf(stack).createUser(person('more'), administrator))).toBe('ok');
  const users = (await current()).limits.find(({ name }) => name === 'users');
  expect(users).toMatchObject({ limit: 1, exceeded: true });
});

test('limits apply only if the license enforces them and has not expired (H-330)', async () => {
  await apply(await sign({ exp: epoch() + DAY, enforce: true, limits: { users: 1 } }));
  const administrator = await asAdministrator(stack, await newTenant(stack));
  expect(await codeOf(usersOf(stack).createUser(person('refused'), administrator))).toBe(
    'license_limit_reached',
  );
  expect(
    await codeOf(usersOf(stack).createUser({ ...person('robot'), kind: 'machine' }, administrator)),
  ).toBe('ok');
  await apply(await sign({ enforce: true, limits: { tenants: 1 } }));
  expect(await codeOf(newTenant(stack))).toBe('license_limit_reached');
  // A license that has expired.
  const ended = await sign({ exp: epoch() - 60, enforce: true, limits: { users: 1 } });
  await stack.sql(
    `INSERT INTO licences (tenant_id, version, token, applied_by) SELECT tenant_id, max(version) + 1, $1, 'test' FROM licences GROUP BY tenant_id`,
    [ended],
  );
  expect(await current()).toMatchObject({
    state: 'expired',
    hint: expect.stringContaining('All functions continue to work'),
  });
  expect(await codeOf(usersOf(stack).createUser(person('welcome'), administrator))).toBe('ok');
});

test('running versions, former versions and schema migrations are reported; an unavailable service is unknown', async () => {
  const replicas = stack.peersOf('vault').client('auth', updates.ReplicasService);
  await replicas.reportReplica({ node: 'vault-1', version: '0.0.9', runningMs: 5_000, ending: false });
  // Each replica reports itself at its start, but the start does not wait for the report.
  await expect.poll(async () => (await updatesStatus()).replicas.length).toBe(3);
  const status = await updatesStatus();
  expect(status).toMatchObject({ version: productVersion, replicasDiffer: true, state: 'replicas-differ' });
  expect(status.replicas.map(({ node, version }) => [node, version])).toEqual([
    ['auth-1', productVersion],
    ['auth-2', productVersion],
    ['vault-1', '0.0.9'],
  ]);
  expect(status.history.map(({ version }) => version).sort()).toEqual(['0.0.9', productVersion]);
  const [own, ...others] = status.schemas;
  expect(own).toMatchObject({ service: 'auth', known: true, pending: [], newer: [] });
  expect(own?.applied.map(({ name }) => name)).toContain('0001-identity');
  expect(others.map(({ service, known }) => [service, known])).toEqual([
    ['vault', false],
    ['workflow', false],
    ['audit', false],
  ]);
  await replicas.reportReplica({ node: 'vault-1', version: '0.0.9', runningMs: 6_000, ending: true });
  expect((await updatesStatus()).replicasDiffer).toBe(false);
});

const person = (username: string) => ({
  username,
  displayName: '',
  email: '',
  password: '',
  roles: [],
  kind: 'person',
});
