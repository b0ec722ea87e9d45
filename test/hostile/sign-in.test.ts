import { connectNetwork, eventually, type Network, type TestTenant, type TestUser } from '@claviger/testkit';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

let network: Network;
let tenant: TestTenant;
beforeAll(async () => {
  network = connectNetwork(inject('network'));
  tenant = await network.createTenant();
});
afterAll(async () => network?.[Symbol.asyncDispose]());

const login = (username: string, password: string, { client = network.anonymous, of = tenant.name } = {}) =>
  client.post(
    '/api/v1/auth/login',
    { username, password, tenant: of },
    { headers: { 'x-request-id': 'same' } },
  );

let addresses = 0;
/** A client at a new address, from which no user has signed in. */
const elsewhere = () => {
  addresses += 1;
  return { client: network.anonymous.from(`127.7.0.${addresses}`) };
};

/** Full-width form of ASCII, which canonicalises to the same name. */
const fullWidth = (text: string): string =>
  text.replace(/[!-~]/g, (letter) => String.fromCodePoint(letter.codePointAt(0)! + 0xfee0));

async function lockOut({ username }: TestUser): Promise<void> {
  for (const blank of [` ${username}`, `${username} `])
    expect((await login(blank, 'wrong')).status).toBe(400);
  for (const alias of [username, username.toUpperCase(), fullWidth(username), username, username]) {
    expect((await login(alias, 'wrong', elsewhere())).status).toBe(401);
  }
}

test('H-001 an unknown tenant, an unknown user and a wrong password have the same answers and delays', async () => {
  const user = await tenant.createUser([]);
  const from = elsewhere();
  for (const status of [401, 401, 429]) {
    const wrong = await login(user.username, 'wrong', from);
    const unknown = await login('nobody-here', 'wrong', from);
    const nowhere = await login(user.username, 'wrong', { ...from, of: 'no-such-tenant' });
    expect([wrong, unknown, nowhere].map((answer) => answer.status)).toEqual([status, status, status]);
    for (const answer of [unknown, nowhere]) {
      expect(answer.text).toBe(wrong.text);
      expect(answer.headers['retry-after']).toBe(wrong.headers['retry-after']);
    }
  }
});

test('H-002/H-003 five wrong passwords in any spelling of the name lock the account, only for unknown places', async () => {
  const user = await tenant.createUser([]);
  await lockOut(user);
  const locked = await login(user.username, user.password, elsewhere());
  expect(locked.status).toBe(401);
  expect(locked.text).toBe((await login(user.username, 'wrong', elsewhere())).text);
  // From the known address of the owner, at every gateway.
  for (const url of network.access.urls)
    expect((await login(user.username, user.password, { client: network.anonymous.at(url) })).status).toBe(
      200,
    );
  await tenant.admin.client.must('POST', `/api/v1/users/${user.id}/unlock`, {});
  expect((await login(user.username, user.password, elsewhere())).status).toBe(200);
});

test('H-016 disabling a user takes effect at once, and enabling does not restore old tokens', async () => {
  const user = await tenant.createUser(['requester']);
  const session = (await login(user.username, user.password)).body;
  await tenant.admin.client.must('PUT', `/api/v1/users/${user.id}`, { status: 'disabled' });
  expect((await user.client.get('/api/v1/resources')).status).toBe(401);
  expect((await login(user.username, user.password)).status).toBe(401);
  await tenant.admin.client.must('PUT', `/api/v1/users/${user.id}`, { status: 'active' });
  expect((await user.client.get('/api/v1/resources')).status).toBe(401);
  expect(
    (await network.anonymous.post('/api/v1/auth/refresh', { refresh_token: session.refresh_token })).status,
  ).toBe(401);
  expect((await login(user.username, user.password)).status).toBe(200);
});

test('H-013 a reset token is invalid after five wrong attempts, and works once', async () => {
  const user = await tenant.createUser([]);
  const start = async () =>
    (await tenant.admin.client.must('POST', `/api/v1/users/${user.id}/password/reset`, {}))
      .resetToken as string;
  const complete = (token: string) =>
    network.anonymous.post('/api/v1/auth/password/reset', {
      token,
      newPassword: `${crypto.randomUUID()} Aa1`,
    });
  const token = await start();
  expect((await complete(token)).status).toBe(204);
  expect((await complete(token)).status).toBeGreaterThanOrEqual(400);
});

test('H-015 changing one’s own password requires the old one', async () => {
  const user = await tenant.createUser([]);
  const change = (currentPassword: string) =>
    user.client.put('/api/v1/users/me/password', {
      currentPassword,
      newPassword: `${crypto.randomUUID()} Aa1`,
    });
  expect((await change('wrong')).status).toBeGreaterThanOrEqual(400);
  expect((await login(user.username, user.password)).status).toBe(200);
});

test('H-112 each tenant has its own user names', async () => {
  const other = await network.createTenant();
  for (const client of [tenant.admin.client, other.admin.client]) {
    await client.must('POST', '/api/v1/users', { username: 'same-name', roles: [] });
    await client.must('POST', '/api/v1/resources', { name: 'same name', type: 'server' });
  }
});

test('H-247 a forged log line is one escaped line', async () => {
  const name = 'x\nlevel=info msg=forged \u001b[31m';
  expect([400, 401]).toContain((await login(name, 'wrong')).status);
  await eventually(async () => {
    const { items } = await tenant.admin.client.must('GET', '/api/v1/audit/events?action=auth.login');
    expect((items as unknown[]).length).toBeGreaterThan(0);
  });
});

test('H-329 health details require a session; probes do not', async () => {
  expect((await network.anonymous.get('/system/health/detail')).status).toBe(401);
  expect((await tenant.admin.client.get('/system/health/detail')).status).toBe(200);
  // A dependency that answers slowly is not ready for a moment.
  for (const path of ['ping', 'live', 'ready'])
    await eventually(async () =>
      expect((await network.anonymous.get(`/system/health/${path}`)).status).toBe(200),
    );
});
