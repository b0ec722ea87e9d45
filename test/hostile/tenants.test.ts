import { randomUUID, verify } from 'node:crypto';
import { type PostgresTarget, startPostgresTarget } from '@claviger/targets';
import {
  connectNetwork,
  eventually,
  type Network,
  type RestAnswer,
  type RestClient,
  type TestTenant,
} from '@claviger/testkit';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createPeople, postgresAccount } from '../support/main-job.ts';

const TENANTS = '/api/v1/msp/tenants';

const PASSWORD = 'Weather balloons drift northward 7';

let network: Network;
let target: PostgresTarget;
let platform: RestClient;
let second: RestClient;
beforeAll(async () => {
  network = connectNetwork(inject('network'));
  [target, platform, second] = await Promise.all([
    startPostgresTarget(),
    network.createPlatformAdministrator().then((user) => user.client),
    network.createPlatformAdministrator().then((user) => user.client),
  ]);
  await network.openTargets(target.port);
});
afterAll(async () => {
  await target?.stop();
  await network?.[Symbol.asyncDispose]();
});

type Tenant = { id: string; status: string; pendingServices: string[]; deprovisioning?: { state: string } };

/** Returns the tenant when every service knows its status; a slow service learns of it later. */
const order = async (verb: string, id: string, by = platform): Promise<Tenant> => {
  await by.must('POST', `${TENANTS}/${id}/${verb}`, { reason: 'hostile test' });
  return eventually(async () => {
    const tenant = (await by.must('GET', `${TENANTS}/${id}`)) as Tenant;
    expect(tenant.pendingServices).toEqual([]);
    return tenant;
  });
};
const login = (tenant: string, username: string, password: string): Promise<RestAnswer> =>
  network.anonymous.post('/api/v1/auth/login', { tenant, username, password });
const tokenOf = (url: unknown): string => String(url).split('#token=')[1]!;
const setUp = (url: unknown, username = 'first'): Promise<RestAnswer> =>
  network.anonymous.post('/api/v1/auth/setup', { token: tokenOf(url), username, password: PASSWORD });

/** A tenant created by the API, whose first administrator has set a password with the link. */
async function provisioned(name = `h-${randomUUID()}`) {
  const made = await platform.must('POST', TENANTS, { name, displayName: 'Hostile' });
  const { id } = made.tenant as Tenant;
  return { id, name, setupUrl: made.setupUrl };
}

async function rotationState(admin: RestClient, entryId: string, id: string): Promise<string> {
  const { state } = await admin.must('GET', `/api/v1/vault/entries/${entryId}/rotations/${id}`);
  return state as string;
}

/** Rows of a store, without row-level security. */
const rowsOf = <T extends object>(sql: string, values: unknown[]): Promise<T[]> =>
  network.superuser(async (client) => {
    // Triggers of the store find their tables by the search path.
    await client.query('SET search_path = vault');
    return (await client.query<T>(sql, values)).rows;
  });

test('the administrator of a new tenant signs in with the tenant name; the link works once', async () => {
  const tenant = await provisioned();
  const attempts = await Promise.all([1, 2, 3].map((n) => setUp(tenant.setupUrl, `first${n}`)));
  expect(attempts.filter((answer) => answer.status < 300)).toHaveLength(1);
  const name = `first${attempts.findIndex((answer) => answer.status < 300) + 1}`;
  const session = await login(tenant.name, name, PASSWORD);
  expect(session.status).toBe(200);
  const admin = network.anonymous.as(session.body.access_token as string);
  expect(await admin.must('GET', '/api/v1/users/me')).toMatchObject({
    tenant: tenant.name,
    tenantId: tenant.id,
  });
});

test('H-016 suspending a tenant ends its access at once, and reinstatement restores no open access', async () => {
  const tenant = await network.createTenant();
  const { admin, requester, approver } = await createPeople(tenant);
  const account = await postgresAccount(admin, target);
  const login1 = await login(tenant.name, requester.username, requester.password);
  const { token: apiToken } = await admin.must('POST', '/api/v1/api-tokens', { name: 'robot' });
  const robot = network.anonymous.as(apiToken as string);
  const enrolled = await admin.must('POST', '/api/v1/devices', { hostname: 'WIN-ACCT-04' });
  const agent = network.anonymous.as(enrolled.agentToken as string);
  const ownConfiguration = `/api/v1/agents/${(enrolled.device as { id: string }).id}/configuration`;
  const { resetToken } = await admin.must('POST', `/api/v1/users/${approver.id}/password/reset`, {});
  const request = await requester.client.must('POST', '/api/v1/requests', {
    entryId: account.entryId,
    reason: 'hostile',
    durationMinutes: 60,
  });
  const { grantId } = await approver.client.must('POST', `/api/v1/requests/${request.id}/approve`, {});
  expect((await robot.get('/api/v1/resources')).status).toBe(200);
  expect((await agent.get(ownConfiguration)).status).toBe(200);
  // A waiting job: its due row must not run, however often the sweep finds it.
  await rowsOf(
    `UPDATE vault.entries SET next_rotation_at = now() + interval '1 hour', rotation_interval_hours = 1 WHERE id = $1`,
    [account.entryId],
  );

  const suspended = await order('suspend', tenant.id);
  expect(suspended).toMatchObject({ status: 'suspended' });
  // The schedule falls due while it is suspended.
  await rowsOf(`UPDATE vault.entries SET next_rotation_at = now() - interval '1 minute' WHERE id = $1`, [
    account.entryId,
  ]);

  for (const client of [requester.client, admin, robot])
    expect((await client.get('/api/v1/resources')).status).toBe(401);
  expect((await agent.get(ownConfiguration)).status).toBe(401);
  expect(
    (await robot.post(`/api/v1/vault/entries/${account.entryId}/retrieve`, { reason: 'x' })).status,
  ).toBe(401);
  expect((await login(tenant.name, requester.username, requester.password)).status).toBe(401);
  const refreshed = () =>
    network.anonymous.post('/api/v1/auth/refresh', { refresh_token: login1.body.refresh_token });
  const reset = () =>
    network.anonymous.post('/api/v1/auth/password/reset', { token: resetToken, newPassword: PASSWORD });
  expect((await refreshed()).status).toBe(401);
  expect((await reset()).status).toBe(401);
  expect((await requester.client.get(`/api/v1/grants/${grantId}/credentials`)).status).toBe(401);
  expect(await rowsOf('SELECT id FROM vault.rotations WHERE entry_id = $1', [account.entryId])).toEqual([]);
  expect(await target.accepts(account.username, account.password)).toBe(true);

  expect(await order('reinstate', tenant.id)).toMatchObject({ status: 'active' });
  for (const client of [requester.client, admin])
    expect((await client.get('/api/v1/resources')).status).toBe(401);
  expect((await refreshed()).status).toBe(401);
  expect((await reset()).status).toBe(401);
  const again = await login(tenant.name, requester.username, requester.password);
  expect(again.status).toBe(200);
  const back = network.anonymous.as(again.body.access_token as string);
  expect((await back.get(`/api/v1/grants/${grantId}/credentials`)).status).toBe(409);
  expect((await back.must('GET', `/api/v1/grants/${grantId}`)).status).toBe('revoked');
  // A machine cannot sign in again: its token and that of an agent work again, after the tenant was checked.
  expect((await robot.get('/api/v1/resources')).status).toBe(200);
  expect((await agent.get(ownConfiguration)).status).toBe(200);
});

test('a rotation that waits when its tenant is suspended ends, also after the reinstatement', async () => {
  const tenant = await network.createTenant();
  const { admin } = await createPeople(tenant);
  const account = await postgresAccount(admin, target);
  const { id } = await admin.must('POST', `/api/v1/vault/entries/${account.entryId}/rotate`, {
    reason: 'first',
  });
  await eventually(async () =>
    expect(await rotationState(admin, account.entryId, id as string)).toBe('verified'),
  );
  // As left by a worker that was interrupted before it began: waiting, without a lease.
  const queued = randomUUID();
  await rowsOf(
    `WITH candidate AS (
       INSERT INTO vault.entry_versions (tenant_id, entry_id, version, state, purpose, kek_id, cek_id, wrapped_cek, iv, ciphertext,
         tag, commitment, blob_sha256, created_by)
       SELECT tenant_id, entry_id, version + 1, 'pending', purpose, kek_id, cek_id, wrapped_cek, iv, ciphertext, tag, commitment,
         blob_sha256, created_by FROM vault.entry_versions WHERE entry_id = $1 AND state = 'current' RETURNING *)
     INSERT INTO vault.rotations (tenant_id, id, entry_id, version, state, trigger, requested_by, next_attempt_at)
     SELECT tenant_id, $2, entry_id, version, 'pending', 'manual', 'test', now() + interval '1 hour' FROM candidate`,
    [account.entryId, queued],
  );
  await order('suspend', tenant.id);
  const [left] = await rowsOf<{ state: string; finished_at: Date | null }>(
    'SELECT state, finished_at FROM vault.rotations WHERE id = $1',
    [queued],
  );
  expect(left).toMatchObject({ state: 'refused' });
  expect(left!.finished_at).not.toBeNull();
  await order('reinstate', tenant.id);
  const [after] = await rowsOf<{ state: string }>('SELECT state FROM vault.rotations WHERE id = $1', [
    queued,
  ]);
  expect(after!.state).toBe('refused');
});

test('H-106 no user outside the platform tenant can read or change tenants, with any role', async () => {
  const [tenant, other] = await Promise.all([network.createTenant(), network.createTenant()]);
  const { client } = tenant.admin;
  for (const path of [
    TENANTS,
    '/api/v1/msp/billing-events',
    `${TENANTS}/${other.id}`,
    `${TENANTS}/${other.id}/health`,
    `${TENANTS}/${other.id}/billing-events`,
    `${TENANTS}/${other.id}/deletion-record`,
    `${TENANTS}/${tenant.id}`,
  ])
    expect([path, (await client.get(path)).status]).toEqual([path, 403]);
  for (const verb of ['suspend', 'reinstate', 'deprovision']) {
    const answer = await client.post(`${TENANTS}/${other.id}/${verb}`, { reason: 'takeover' });
    expect([verb, answer.status]).toEqual([verb, 403]);
  }
  expect((await client.post(TENANTS, { name: `x-${randomUUID()}` })).status).toBe(403);
  expect((await other.admin.client.get('/api/v1/users/me')).status).toBe(200);
});

test('H-109 names similar to other names or to names of the system are refused', async () => {
  const [taken] = [await provisioned()];
  for (const name of [
    'root',
    'system',
    '..',
    'admin',
    'T1 ',
    ' t1',
    'ａｃｍｅ',
    'аcme',
    'acmé',
    'ACME',
    'a'.repeat(300),
    '/',
    'a/b',
    'a\u0000b',
    '-a',
    'a-',
    'a',
    '',
    'xn--acme-0qa',
    'default',
  ])
    expect([name, (await platform.post(TENANTS, { name })).status]).toEqual([name, 400]);
  expect((await platform.post(TENANTS, { name: taken.name })).status).toBe(409);
});

test('H-112 names are unique per tenant only', async () => {
  const [one, two] = await Promise.all([network.createTenant(), network.createTenant()]);
  for (const { client } of [one.admin, two.admin]) {
    const user = { username: 'same', password: PASSWORD, roles: [] };
    expect((await client.post('/api/v1/users', user)).status).toBe(201);
    expect((await client.post('/api/v1/resources', { name: 'same', type: 'server' })).status).toBe(201);
    const entry = { name: 'same', type: 'note', secret: 'text' };
    expect((await client.post('/api/v1/vault/entries', entry)).status).toBe(201);
  }
});

test('neither the platform tenant nor an unknown tenant can be suspended', async () => {
  const tenant = await network.createTenant();
  const { items } = await platform.must('GET', `${TENANTS}?search=default`);
  const own = (items as (Tenant & { platform: boolean })[]).find((each) => each.platform)!;
  const answer = await platform.post(`${TENANTS}/${own.id}/suspend`, { reason: 'lock everybody out' });
  expect([answer.status, answer.body.code]).toEqual([409, 'platform_tenant']);
  expect((await platform.post(`${TENANTS}/${tenant.id}/reinstate`, { reason: 'x' })).body.code).toBe(
    'wrong_status',
  );
  expect((await platform.post(`${TENANTS}/${randomUUID()}/suspend`, { reason: 'x' })).status).toBe(404);
});

/** Two administrators deprovision the tenant. */
async function deprovision(id: string): Promise<void> {
  expect((await order('deprovision', id)).deprovisioning).toMatchObject({ state: 'awaiting-confirmation' });
  const alone = await platform.post(`${TENANTS}/${id}/deprovision`, { reason: 'myself again' });
  expect([alone.status, alone.body.code]).toEqual([409, 'second_person_needed']);
  expect(await order('deprovision', id, second)).toMatchObject({
    status: 'deprovisioning',
    deprovisioning: { state: 'confirmed' },
  });
}

test('F-56 a deprovisioning requires two persons and can be reverted within the window, without loss', async () => {
  const tenant = await network.createTenant();
  const { admin } = tenant;
  const entry = await admin.client.must('POST', '/api/v1/vault/entries', {
    name: 'kept',
    type: 'note',
    secret: 'still here',
  });
  await deprovision(tenant.id);
  expect((await admin.client.get('/api/v1/resources')).status).toBe(401);
  expect((await login(tenant.name, admin.username, admin.password)).status).toBe(401);
  const early = await platform.get(`${TENANTS}/${tenant.id}/deletion-record`);
  expect([early.status, early.body.hint]).toEqual([
    404,
    expect.stringMatching(/keys are destroyed: due at \d/),
  ]);
  expect(await order('reinstate', tenant.id)).toMatchObject({ status: 'active' });
  const again = await login(tenant.name, admin.username, admin.password);
  const back = network.anonymous.as(again.body.access_token as string);
  const shown = await back.must('POST', `/api/v1/vault/entries/${entry.id}/retrieve`, { reason: 'back' });
  expect(shown.secret).toBe('still here');
});

test('after the retention a deprovisioning cannot be reverted: a tenant never returns without its keys', async () => {
  const tenant = await network.createTenant();
  await deprovision(tenant.id);
  // State of a destruction that waits for the vault: some keys may be destroyed.
  await rowsOf(
    `UPDATE auth.deprovision_orders SET destroy_at = now(), next_try_at = now() + interval '1 hour' WHERE tenant_id = $1`,
    [tenant.id],
  );
  const back = await platform.post(`${TENANTS}/${tenant.id}/reinstate`, { reason: 'at the last moment' });
  expect([back.status, back.body.code]).toEqual([410, 'tenant_deprovisioned']);
  expect((await platform.must('GET', `${TENANTS}/${tenant.id}`)).status).toBe('deprovisioning');
});

async function destroyed(tenant: TestTenant): Promise<Record<string, unknown>> {
  await deprovision(tenant.id);
  await rowsOf(`UPDATE auth.deprovision_orders SET destroy_at = now() WHERE tenant_id = $1`, [tenant.id]);
  return eventually(() => platform.must('GET', `${TENANTS}/${tenant.id}/deletion-record`), {
    what: 'the deletion record',
  });
}

test('H-108 after the retention the keys are provably destroyed, and a new tenant of that name is empty', async () => {
  const tenant = await network.createTenant();
  const { client, username, password } = tenant.admin;
  await client.must('POST', '/api/v1/vault/entries', { name: 'old', type: 'note', secret: 'ends here' });
  const { items: keys } = await client.must('GET', '/api/v1/audit/keys');
  // The record names a head of the sequenced log.
  await eventually(() => client.must('GET', '/api/v1/audit/tree-head'));
  const record = await destroyed(tenant);

  const [header, payload, signature] = String(record.record).split('.');
  const { publicKey } = (keys as { keyId: string; publicKey: string }[]).find(
    (key) => key.keyId === record.keyId,
  )!;
  const signed = Buffer.from(`${header}.${payload}`);
  expect(verify(null, signed, publicKey, Buffer.from(signature!, 'base64url'))).toBe(true);
  const facts = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as {
    tenantId: string;
    destroyedKeys: { service: string }[];
    orderedBy: { id: string };
    confirmedBy: { id: string };
    treeHead: { tenantId: string };
  };
  expect(facts.tenantId).toBe(tenant.id);
  expect(facts.treeHead.tenantId).toBe(tenant.id);
  expect(facts.orderedBy.id).not.toBe(facts.confirmedBy.id);
  expect(new Set(facts.destroyedKeys.map((key) => key.service))).toEqual(new Set(['auth', 'vault']));
  for (const table of ['vault.keks', 'auth.tenant_keys']) {
    const rows = await rowsOf<{ length: number }>(
      `SELECT octet_length(wrapped) AS length FROM ${table} WHERE tenant_id = $1`,
      [tenant.id],
    );
    expect(rows.map((row) => row.length)).toEqual([0]);
  }
  const back = await platform.post(`${TENANTS}/${tenant.id}/reinstate`, { reason: 'too late' });
  expect([back.status, back.body.code]).toEqual([410, 'tenant_deprovisioned']);

  const fresh = await provisioned(tenant.name);
  expect(fresh.id).not.toBe(tenant.id);
  expect((await login(tenant.name, username, password)).status).toBe(401);
  expect((await setUp(fresh.setupUrl)).status).toBeLessThan(300);
  const session = await login(tenant.name, 'first', PASSWORD);
  const admin = network.anonymous.as(session.body.access_token as string);
  expect((await admin.must('GET', '/api/v1/vault/entries')).totalItems).toBe(0);
});

test('if the name was reused, the former tenant loses its name but not its data', async () => {
  const tenant = await network.createTenant();
  await deprovision(tenant.id);
  await provisioned(tenant.name);
  const clash = await platform.post(`${TENANTS}/${tenant.id}/reinstate`, { reason: 'back' });
  expect([clash.status, clash.body.code]).toEqual([409, 'tenant_exists']);
  const name = `n-${randomUUID()}`;
  await platform.must('POST', `${TENANTS}/${tenant.id}/reinstate`, { reason: 'back', name });
  expect((await login(name, tenant.admin.username, tenant.admin.password)).status).toBe(200);
});

test('health shows every dependency, and billing events are complete and correct', async () => {
  const tenant = await network.createTenant();
  const { client } = tenant.admin;
  const user = await client.must('POST', '/api/v1/users', { username: 'u', password: PASSWORD, roles: [] });
  const resource = await client.must('POST', '/api/v1/resources', { name: 'r', type: 'server' });
  await client.must('DELETE', `/api/v1/resources/${resource.id}`);
  const entry = await client.must('POST', '/api/v1/vault/entries', { name: 'n', type: 'note', secret: 's' });
  await client.must('POST', `/api/v1/vault/entries/${entry.id}/retrieve`, { reason: 'bill me' });
  const parts = await eventually(async () => {
    const health = await platform.must('GET', `${TENANTS}/${tenant.id}/health`);
    const told = health.parts as {
      service: string;
      answered: boolean;
      measures: { name: string; value: number }[];
    }[];
    expect(told.map((part) => [part.service, part.answered])).toEqual([
      ['auth', true],
      ['audit', true],
      ['vault', true],
      ['workflow', true],
    ]);
    return told;
  });
  const measure = (name: string) =>
    parts.flatMap((part) => part.measures).find((each) => each.name === name)?.value;
  expect([measure('users'), measure('entries'), measure('resources')]).toEqual([2, 1, 0]);
  const expected = [
    'credential.disclosed',
    'entry.added',
    'resource.added',
    'resource.removed',
    'tenant.provisioned',
    'user.added',
    'user.added',
  ];
  const events = await eventually(
    async () => {
      const { items } = await platform.must('GET', `${TENANTS}/${tenant.id}/billing-events?pageSize=100`);
      const found = items as { kind: string; sequence: number; subjectId: string }[];
      expect(found.map((event) => event.kind).sort()).toEqual(expected);
      return found;
    },
    { what: 'the billing events' },
  );
  expect(events.map((event) => event.sequence)).toEqual(events.map((_, index) => index));
  expect(events.map((event) => event.subjectId)).toContain(user.id);
});
