import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectNetwork, type Network, type TestTenant } from '@claviger/testkit';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

let network: Network;
let tenant: TestTenant;
beforeAll(async () => {
  network = connectNetwork(inject('network'));
  tenant = await network.createTenant();
});
afterAll(async () => network?.[Symbol.asyncDispose]());

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const status = async (token: string): Promise<number> =>
  (await network.anonymous.as(token).get('/api/v1/users/me')).status;

/** Signs with the key of the installation, so that a refusal concerns only the content. */
function signed(header: object, claims: object): string {
  const key = readFileSync(join(network.access.dataDir, 'secrets/access-token.pem'), 'utf8');
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`;
}

describe('access tokens', () => {
  test('unchanged header and claims under the key of the installation are accepted', async () => {
    const { token } = tenant.admin;
    expect(await status(signed(decodeProtectedHeader(token), decodeJwt(token)))).toBe(200);
  });

  test('H-041 a token signed by HMAC with our public key is refused', async () => {
    const { token } = tenant.admin;
    const pem = readFileSync(join(network.access.dataDir, 'secrets/access-token.pub.pem'), 'utf8');
    for (const key of [pem, pem.trim(), `\n${pem}`]) {
      for (const alg of ['HS256', 'HS512', 'none']) {
        const input = `${part({ ...decodeProtectedHeader(token), alg })}.${part(decodeJwt(token))}`;
        const mac = createHmac(alg === 'HS512' ? 'sha512' : 'sha256', key)
          .update(input)
          .digest('base64url');
        expect(await status(`${input}.${alg === 'none' ? '' : mac}`)).toBe(401);
      }
    }
  });

  test('another key is refused, also under our key id', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const input = `${part(decodeProtectedHeader(tenant.admin.token))}.${part(decodeJwt(tenant.admin.token))}`;
    expect(await status(`${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`)).toBe(
      401,
    );
  });

  test.each([
    ['jwk', { jwk: { kty: 'OKP' } }],
    ['jku', { jku: 'http://127.0.0.1:1/keys' }],
    ['x5u', { x5u: 'http://127.0.0.1:1/cert' }],
    ['x5c', { x5c: ['AAAA'] }],
    ['crit', { crit: ['x'], x: 1 }],
    ['b64', { b64: false }],
    ['another typ', { typ: 'JWT' }],
    ['an actor token typ', { typ: 'actor+jwt' }],
  ])('H-043/H-044 the header %s is refused', async (_, extra) => {
    const { token } = tenant.admin;
    expect(await status(signed({ ...decodeProtectedHeader(token), ...extra }, decodeJwt(token)))).toBe(401);
  });

  const now = Math.floor(Date.now() / 1000);
  test.each<[string, Record<string, unknown>]>([
    ['exp missing', { exp: undefined }],
    ['exp as text', { exp: `${now + 100}` }],
    ['exp enormous', { exp: 1e308 }],
    ['exp past', { exp: now - 120 }],
    ['iat in the future', { iat: now + 600 }],
    ['nbf in the future', { nbf: now + 600 }],
    ['another audience', { aud: 'claviger-agent' }],
    ['an audience too many', { aud: ['claviger-api', 'evil'] }],
    ['another issuer', { iss: 'https://evil.test' }],
    ['an unknown session', { sid: crypto.randomUUID() }],
    ['another tenant', { tid: crypto.randomUUID() }],
    ['another user', { sub: crypto.randomUUID() }],
  ])('H-046 %s is refused', async (_, claims) => {
    const { token } = tenant.admin;
    expect(await status(signed(decodeProtectedHeader(token), { ...decodeJwt(token), ...claims }))).toBe(401);
  });

  test('H-044 a token of 200 KB is refused', async () => {
    expect([401, 431]).toContain(
      await status(`${'a'.repeat(100_000)}.${'b'.repeat(100_000)}.c`).catch(() => 431),
    );
  });

  test('H-084 a token in the query string is ignored', async () => {
    const answer = await network.anonymous.get(`/api/v1/users/me?access_token=${tenant.admin.token}`);
    expect([400, 401]).toContain(answer.status);
  });
});

describe('refresh', () => {
  const login = async () => {
    const user = await tenant.createUser(['requester']);
    return network.anonymous.must('POST', '/api/v1/auth/login', {
      username: user.username,
      password: user.password,
      tenant: tenant.name,
    });
  };
  const refresh = (token: unknown) =>
    network.anonymous.post('/api/v1/auth/refresh', { refresh_token: token });

  test('a refresh token works once; the next one continues the session', async () => {
    const first = await login();
    const second = await refresh(first.refresh_token);
    expect(second.status).toBe(200);
    expect([401, 409]).toContain((await refresh(first.refresh_token)).status);
    expect(await status(second.body.access_token as string)).toBe(200);
  });

  test('20 at once: one new pair', async () => {
    const first = await login();
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(first.refresh_token)));
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
  });

  test('H-050 refresh racing logout: no token is valid after the answer to the logout', async () => {
    for (let round = 0; round < 25; round += 1) {
      const first = await login();
      const [, raced] = await Promise.all([
        network.anonymous.as(first.access_token as string).post('/api/v1/auth/logout'),
        refresh(first.refresh_token),
      ]);
      if (raced.status === 200) {
        expect(await status(raced.body.access_token as string)).toBe(401);
        expect((await refresh(raced.body.refresh_token)).status).toBe(401);
      }
    }
  });
});

describe('API tokens', () => {
  test('H-080 shown once, narrowed, revoked at once on every gateway', async () => {
    const created = await tenant.admin.client.must('POST', '/api/v1/api-tokens', {
      name: 'robot',
      permissions: ['resources.read'],
    });
    const robot = network.anonymous.as(created.token as string);
    expect((await robot.get('/api/v1/resources')).status).toBe(200);
    expect((await robot.get('/api/v1/users')).status).toBe(403);
    const listed = await tenant.admin.client.get('/api/v1/api-tokens');
    expect(listed.text).not.toContain(created.token as string);
    const { id } = created.apiToken as { id: string };
    expect((await tenant.admin.client.delete(`/api/v1/api-tokens/${id}`)).status).toBe(204);
    for (const url of network.access.urls)
      expect((await robot.at(url).get('/api/v1/resources')).status).toBe(401);
  });

  test('H-097 a user can neither grant permissions they lack nor change their own roles', async () => {
    const manager = await tenant.admin.client.must('POST', '/api/v1/roles', {
      name: `mgr-${Date.now()}`,
      permissions: ['users.*', 'roles.*'],
    });
    const user = await tenant.createUser([manager.name as string]);
    const victim = await tenant.createUser([]);
    expect(
      (await user.client.put(`/api/v1/users/${user.id}/roles`, { roles: ['administrator'] })).status,
    ).toBe(403);
    expect(
      (await user.client.put(`/api/v1/users/${victim.id}/roles`, { roles: ['administrator'] })).status,
    ).toBe(403);
    expect((await user.client.post('/api/v1/roles', { name: 'over', permissions: ['*'] })).status).toBe(403);
    for (const name of ['Administrator ', 'ADMINISTRATOR', 'ａdministrator', 'root']) {
      expect([400, 403]).toContain(
        (await user.client.put(`/api/v1/users/${victim.id}/roles`, { roles: [name] })).status,
      );
    }
    expect((await tenant.admin.client.must('GET', `/api/v1/users/${victim.id}`)).roles).toEqual([]);
  });
});
