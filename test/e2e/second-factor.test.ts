import {
  connectNetwork,
  enrolSecondFactor,
  type Network,
  type TestTenant,
  type TestUser,
  totp,
} from '@claviger/testkit';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

let network: Network;
let tenant: TestTenant;
beforeAll(async () => {
  network = connectNetwork(inject('network'));
  tenant = await network.createTenant();
});
afterAll(async () => network?.[Symbol.asyncDispose]());

const enrol = (user: TestUser) => enrolSecondFactor(user.client);

const login = (user: TestUser) =>
  network.anonymous.post('/api/v1/auth/login', {
    username: user.username,
    password: user.password,
    tenant: tenant.name,
  });

test('H-024 with a confirmed factor sign-in has two steps; the first step gives no other access', async () => {
  const user = await tenant.createUser(['requester']);
  const { secret, recoveryCodes } = await enrol(user);
  expect(recoveryCodes).toHaveLength(10);
  const first = await login(user);
  expect(first.body).toMatchObject({ mfa_required: true });
  const limited = network.anonymous.as(first.body.access_token as string);
  for (const [method, path] of [
    ['GET', '/api/v1/resources'],
    ['GET', '/api/v1/users/me'],
    ['GET', '/api/v1/auth/mfa/setup'],
    ['POST', '/api/v1/auth/refresh'],
    ['GET', '/system/health/detail'],
  ] as const) {
    const refused = await limited.call(method, path, method === 'POST' ? {} : undefined);
    expect({ path, status: refused.status, code: refused.body.code }).toEqual({
      path,
      status: 401,
      code: 'mfa_required',
    });
  }
  const second = await limited.post('/api/v1/auth/mfa/challenge', { code: totp(secret) });
  expect(second.status).toBe(200);
  const full = network.anonymous.as(second.body.access_token as string);
  expect((await full.get('/api/v1/resources')).status).toBe(200);
});

test('H-020 one code opens one session, even with calls at two gateways at once', async () => {
  const user = await tenant.createUser(['requester']);
  const { secret } = await enrol(user);
  const limited = await Promise.all(
    Array.from({ length: 10 }, async (_, i) =>
      network.anonymous.as((await login(user)).body.access_token as string).at(network.access.urls[i % 2]!),
    ),
  );
  const code = totp(secret);
  const answers = await Promise.all(
    limited.map((client) => client.post('/api/v1/auth/mfa/challenge', { code })),
  );
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
  const late = limited[answers.findIndex((answer) => answer.status !== 200)]!;
  for (const url of network.access.urls)
    expect((await late.at(url).post('/api/v1/auth/mfa/challenge', { code })).status).toBe(401);
});

test('a recovery code works once, also in parallel', async () => {
  const user = await tenant.createUser(['requester']);
  const { recoveryCodes } = await enrol(user);
  const clients = await Promise.all(
    [1, 2, 3].map(async () => network.anonymous.as((await login(user)).body.access_token as string)),
  );
  const answers = await Promise.all(
    clients.map((client) => client.post('/api/v1/auth/mfa/challenge', { code: recoveryCodes[0] })),
  );
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
});

test('more permissions change the id of the session: earlier tokens are invalid at every gateway', async () => {
  const user = await tenant.createUser(['requester']);
  const statuses = (token: string) =>
    Promise.all(
      network.access.urls.map(
        async (url) => (await network.anonymous.as(token).at(url).get('/api/v1/users/me')).status,
      ),
    );
  const deadNow = async (tokens: Record<string, unknown>) => {
    expect(await statuses(tokens.access_token as string)).toEqual(network.access.urls.map(() => 401));
    const { refresh_token } = tokens;
    expect((await network.anonymous.post('/api/v1/auth/refresh', { refresh_token })).status).toBe(401);
  };
  const other = (await login(user)).body;
  const first = (await login(user)).body;
  // Both gateways have cached both sessions.
  for (const { access_token } of [other, first])
    expect(await statuses(access_token as string)).toEqual(network.access.urls.map(() => 200));
  const client = network.anonymous.as(first.access_token as string);
  const { secret } = await enrolSecondFactor(client);
  await deadNow(first);
  await deadNow(other);
  expect((await client.get('/api/v1/users/me')).status).toBe(200);

  const second = (await login(user)).body;
  const proved = await network.anonymous
    .as(second.access_token as string)
    .must('POST', '/api/v1/auth/mfa/challenge', { code: totp(secret) });
  await deadNow(second);
  expect(await statuses(proved.access_token as string)).toEqual(network.access.urls.map(() => 200));
});

test('the administrator removes a lost factor; the user cannot without a recent factor', async () => {
  const user = await tenant.createUser(['requester']);
  const { secret } = await enrol(user);
  const { body } = await login(user);
  const limited = network.anonymous.as(body.access_token as string);
  expect((await limited.delete('/api/v1/auth/mfa')).status).toBe(401);
  const refused = await tenant.admin.client.delete(`/api/v1/users/${user.id}/mfa`);
  expect(refused).toMatchObject({ status: 403, body: { code: 'mfa_not_satisfied' } });
  await enrol(tenant.admin);
  expect((await tenant.admin.client.delete(`/api/v1/users/${user.id}/mfa`)).status).toBe(204);
  expect((await login(user)).body).toMatchObject({ mfa_required: false });
  expect((await network.anonymous.post('/api/v1/auth/mfa/challenge', { code: totp(secret) })).status).toBe(
    401,
  );
});
