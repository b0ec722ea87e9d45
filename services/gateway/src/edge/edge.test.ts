import { randomUUID } from 'node:crypto';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TENANT, TestEdge } from '../../test-support.ts';

let edge: TestEdge;
let token: string;

beforeAll(async () => {
  edge = await TestEdge.start();
  ({ token } = await edge.signIn());
});
afterAll(() => edge?.stop());

const WITHIN = { timeout: 50_000 };
const statusOf = (text: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
const get = (target: string) =>
  edge.raw(
    `GET ${target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
  );

describe('the edge', () => {
  it.each([
    '//api/v1/vault/entries',
    '/api/v1/./vault/entries',
    '/api/v1/%76ault/entries',
    '/API/v1/vault/entries',
    '/api/v1/vault/entries;a',
    '/api/v1/vault/entries/',
    '/x/..//api/v1/vault/entries',
    '/system/health/ping/..%2f..%2fapi/v1/vault/entries',
    '/system/health/ping\\..\\..\\api',
    '/api/v1/vault/entries%00',
    '/api/v1/vault/%c0%afentries',
    'https://evil.example/api/v1/vault/entries',
  ])('refuses every other spelling of a path: %s', async (target) => {
    expect([400, 404]).toContain(statusOf(await get(target)));
  });

  it('accepts the canonical spelling, as a control', async () => {
    expect(statusOf(await get('/api/v1/vault/entries'))).toBe(200);
  });

  it('speaks HTTP/1.1 only, over TLS 1.2 or later', async () => {
    const handshake = (options: object) =>
      new Promise<string>((resolve) => {
        const socket = connect(
          { host: '127.0.0.1', port: edge.gateway.httpPort, ca: edge.ca, ...options },
          () => {
            resolve(`${socket.getProtocol()} ${socket.alpnProtocol}`);
            socket.destroy();
          },
        );
        socket.on('error', () => resolve('refused'));
      });
    expect(await handshake({ ALPNProtocols: ['h2', 'http/1.1'] })).toBe('TLSv1.3 http/1.1');
    expect(await handshake({ ALPNProtocols: ['h2'] })).toBe('refused');
    expect(await handshake({ maxVersion: 'TLSv1.2' })).toContain('TLSv1.2');
    expect(await handshake({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' })).toBe(
      'refused',
    );
  });

  it('refuses too many headers, too long headers, too long targets, and input that is not HTTP', async () => {
    const many = Array.from({ length: 200 }, (_, index) => `A${index}: b\r\n`).join('');
    expect(
      statusOf(await edge.raw(`GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${many}\r\n`)),
    ).toBe(431);
    const long = await edge.raw(`GET / HTTP/1.1\r\nHost: localhost\r\nA: ${'b'.repeat(20_000)}\r\n\r\n`);
    expect(statusOf(long)).toBe(431);
    expect(statusOf(await get(`/${'a'.repeat(10_000)}`))).toBe(414);
    const rubbish = await edge.raw('hunter2 rubbish\r\n\r\n');
    expect(statusOf(rubbish)).toBe(400);
    expect(rubbish).not.toContain('hunter2');
  });

  it.each([
    ['Authorization', 'Bearer other'],
    ['Host', 'evil.test'],
    ['Content-Type', 'text/plain'],
    ['Idempotency-Key', 'k'],
    ['If-Match', '"1"'],
    ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
    ['X-Request-Id', 'r'],
    ['X-Forwarded-For', '203.0.113.1'],
    ['X-Forwarded-Host', 'localhost'],
    ['X-hunter2', 'x'],
  ])('accepts %s only once', async (name, value) => {
    for (const bearer of [`Bearer ${token}`, undefined]) {
      const headers = new Map([
        ['Host', 'localhost'],
        ...(bearer ? [['Authorization', bearer] as const] : []),
      ]);
      if (!headers.has(name)) headers.set(name, value);
      const lines = [...headers].map(([key, text]) => `${key}: ${text}\r\n`).join('');
      const request = `GET /api/v1/vault/entries HTTP/1.1\r\n${lines}Connection: close\r\n`;
      const answer = await edge.raw(`${request}${name.toLowerCase()}: ${value}\r\n\r\n`);
      expect(statusOf(answer)).toBe(400);
      expect(answer).toContain('header_repeated');
      expect(answer).not.toContain('hunter2');
    }
  });

  it('refuses a body with two lengths', async () => {
    const head = `POST /api/v1/vault/entries HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n`;
    const both = `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
    expect(statusOf(await edge.raw(both))).toBe(400);
    expect(statusOf(await edge.raw(`${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} `))).toBe(400);
  });

  it('stops reading when a body is too large', async () => {
    const answer = await edge.raw(
      `POST /api/v1/vault/entries HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 104857600\r\n\r\n{"a":',
    );
    expect(statusOf(answer)).toBe(413);
    expect(answer.toLowerCase()).toContain('connection: close');
  });

  it('distinguishes an unknown path from an unsupported method', async () => {
    expect((await edge.call('GET', '/api/v1/nothing')).json).toMatchObject({
      status: 404,
      code: 'no_such_route',
    });
    const wrong = await edge.call('DELETE', '/api/v1/vault/entries');
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'GET, HEAD, POST']);
    expect((await edge.call('DELETE', '/api/v1/audit/events/export')).headers.allow).toBe('GET, HEAD');
    const overridden = await edge.call('GET', '/api/v1/vault/entries', {
      token,
      headers: { 'x-http-method-override': 'DELETE' },
    });
    expect(overridden.status).toBe(200);
  });

  it('finds out that a route is missing without trying every route', async () => {
    const tested = vi.spyOn(RegExp.prototype, 'test');
    const executed = vi.spyOn(RegExp.prototype, 'exec');
    const ofRoutes = () =>
      ([...tested.mock.contexts, ...executed.mock.contexts] as RegExp[])
        .map(({ source }) => source)
        .filter((source) => source.includes('api'));
    try {
      expect((await edge.call('DELETE', '/api/v1/vault/entries')).status).toBe(405);
      expect((await edge.call('GET', '/api/v1/nothing')).status).toBe(404);
      expect(ofRoutes()).toEqual([]);
    } finally {
      tested.mockRestore();
      executed.mockRestore();
    }
  });

  it('validates a parameter of any length by its field rule, without repeating it', async () => {
    const answer = await edge.call('GET', `/api/v1/vault/entries/${'a'.repeat(300)}`, { token });
    expect(answer.json).toMatchObject({ status: 400, code: 'invalid', errors: [{ pointer: '/entryId' }] });
    expect(answer.text).not.toContain('aaa');
  });

  it('serves its OpenAPI document, its address, and the pages of one-time links with their own policy', async () => {
    const document = await edge.call('GET', '/openapi.json');
    expect(document.json).toMatchObject({ openapi: '3.1.0', servers: [{ url: 'https://localhost:7101' }] });
    expect(document.json.paths).toHaveProperty('/system/health/detail');
    expect((await edge.call('GET', '/')).json.openapi).toBe('/openapi.json');
    for (const path of ['/setup', '/reset']) {
      const page = await edge.call('GET', path);
      expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(page.headers['content-security-policy']).toMatch(/script-src 'sha256-/);
    }
  });
});

describe('health', () => {
  it('has public probes, and requires a token for its detail', async () => {
    expect((await edge.call('GET', '/system/health/ping')).json).toEqual({ status: 'ok', version: '0.1.0' });
    expect((await edge.call('GET', '/system/health/live')).status).toBe(200);
    expect((await edge.call('GET', '/system/health/ready')).status).toBe(200);
    expect((await edge.call('GET', '/system/health/detail')).status).toBe(401);
    const probe = (path: string, method: string) =>
      fetch(`http://127.0.0.1:${edge.gateway.healthPort}${path}`, { method });
    for (const path of ['/live', '/ready']) {
      const answers = [await probe(path, 'GET'), await probe(path, 'HEAD')];
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(await answers[1]!.text()).toBe('');
    }
    expect((await probe('/live', 'POST')).headers.get('allow')).toBe('GET, HEAD');
    // Agents can call only operations for agents.
    const agent = await edge.call('GET', '/system/health/detail', { token: edge.enrol().token });
    expect(agent.json).toMatchObject({ status: 403, code: 'not_for_agents' });
    const detail = await edge.call('GET', '/system/health/detail', { token });
    expect(detail.json).toMatchObject({
      status: 'ok',
      degraded: [],
      database: { status: 'ok' },
      vault: { status: 'ok', sealed: false },
    });
    expect(detail.json.services).toHaveLength(5);
  });

  it('is not ready while the vault is sealed', async () => {
    edge.vaultStatus = 'sealed';
    await expect.poll(async () => (await edge.call('GET', '/system/health/ready')).status, WITHIN).toBe(503);
    edge.vaultStatus = 'ok';
    await expect.poll(async () => (await edge.call('GET', '/system/health/ready')).status, WITHIN).toBe(200);
  });
});

describe('anonymous clients', () => {
  it('can send only small bodies', async () => {
    // A different address than the sign-ins below.
    const localAddress = '127.0.0.78';
    const login = (body: object) => edge.call('POST', '/api/v1/auth/login', { body, localAddress });
    const long = await login({ username: 'x'.repeat(16_384), password: 'x' });
    expect([long.status, long.json.code]).toEqual([413, 'payload_too_large']);
    const chunked = await edge.raw(
      'POST /api/v1/auth/refresh HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
        `Transfer-Encoding: chunked\r\n\r\n8000\r\n{"a":"${'b'.repeat(0x8000 - 6)}\r\n`,
      undefined,
      localAddress,
    );
    expect(statusOf(chunked)).toBe(413);
    expect(chunked.toLowerCase()).toContain('connection: close');
  });
});

describe('limits', () => {
  it('refuse more than ten sign-ins a minute from an address, with the headers that clients need', async () => {
    const tries = Array.from({ length: 40 }, (_, index) => ({ username: `u${index}`, password: 'x' }));
    const answers = await Promise.all(tries.map((body) => edge.call('POST', '/api/v1/auth/login', { body })));
    const refused = answers.filter((answer) => answer.status === 429);
    // One request becomes available every six seconds, so a slow machine may allow a few more.
    expect(refused.length).toBeGreaterThan(0);
    expect(answers.filter((answer) => answer.status === 401).length).toBeGreaterThanOrEqual(10);
    const { json, headers } = refused[0]!;
    expect(json).toMatchObject({ status: 429, code: 'rate_limited', retryable: true });
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect(headers['ratelimit-policy']).toBe('"auth";q=10;w=60');
    expect(headers.ratelimit).toMatch(/^"auth";r=0;t=\d+$/);
  });

  it('state the rest of the window in Retry-After, after which the request is allowed', async () => {
    const { token: bearer, session } = await edge.signIn();
    const report = () => edge.call('GET', '/api/v1/audit/events/export', { token: bearer });
    for (let index = 0; index < 5; index += 1) expect((await report()).status).not.toBe(429);
    const key = `claviger:limit:report:u:${TENANT}:${session.userId}`;
    // Five an hour: the next one is available 720 seconds after the first.
    const fullAtMs = Number(await edge.redis.get(key));
    const before = Date.now();
    const refused = await report();
    expect(refused.status).toBe(429);
    const rest = Number(refused.headers['retry-after']);
    const restAt = (ms: number) => Math.ceil((fullAtMs - (3_600_000 - 720_000) - ms) / 1_000);
    expect(rest).toBeLessThanOrEqual(restAt(before));
    expect(rest).toBeGreaterThanOrEqual(restAt(Date.now()));
    await edge.redis.set(key, String(fullAtMs - rest * 1_000), 'PX', 3_600_000);
    expect((await report()).status).not.toBe(429);
  });

  it('refuse a person more disclosures than their budget, and report the refusals as counted anomalies, also after an outage of auth', async () => {
    const { token: thief, session } = await edge.signIn();
    const { id } = edge.addEntry();
    const retrieve = () => edge.call('POST', `/api/v1/vault/entries/${id}/retrieve`, { token: thief });
    const about = () => edge.anomalies.filter(({ subjectId }) => subjectId === session.userId);
    await retrieve();
    edge.authAway = true;
    const answers = await Promise.all(Array.from({ length: 80 }, retrieve));
    const refused = answers.filter(({ status }) => status === 429).length;
    expect(refused).toBeGreaterThan(0);
    expect(about()).toEqual([]);
    edge.authAway = false;
    await expect.poll(() => about().reduce((sum, { count }) => sum + count, 0), WITHIN).toBe(refused);
    expect(about()[0]).toMatchObject({
      alert: 'disclosure_budget_reached',
      subjectType: 'user',
      tenantId: TENANT,
      details: { limit: 60, windowSeconds: 60, sessionId: session.sessionId, observedBy: 'gateway-1' },
    });
  });

  it('count each user and each tier separately', async () => {
    const one = await edge.signIn();
    const other = await edge.signIn();
    const left = async (bearer: string, path: string) =>
      (await edge.call('GET', path, { token: bearer })).headers.ratelimit;
    const report = '/api/v1/audit/events/export';
    expect(await left(one.token, report)).toMatch(/^"report";r=4;/);
    expect(await left(one.token, report)).toMatch(/^"report";r=3;/);
    expect(await left(other.token, report)).toMatch(/^"report";r=4;/);
    expect(await left(one.token, '/api/v1/vault/entries')).toMatch(/^"standard";r=99;/);
  });

  it('count a device once for all tokens of its agent, and allow ten calls a second', async () => {
    const { deviceId, token: former } = edge.enrol();
    const { token: next } = edge.enrol(deviceId);
    const other = edge.enrol();
    const call = (device: string, bearer: string) =>
      edge.call('GET', `/api/v1/agents/${device}/commands`, { token: bearer });
    // Introspect all tokens first, so that the calls below differ in nothing but the token.
    await Promise.all([call(deviceId, former), call(deviceId, next), call(other.deviceId, other.token)]);
    // Keys expire a second after the last call: read them during the calls, and again if that took longer.
    let budgets: string[] = [];
    await expect
      .poll(async () => {
        const calls = Array.from({ length: 10 }, (_, index) => call(deviceId, index % 2 ? former : next));
        await Promise.any(calls);
        const keys = await edge.redis.keys('claviger:limit:agent:*');
        await Promise.all(calls);
        expect(keys.some((key) => key.includes(former.slice(4)) || key.includes(next.slice(4)))).toBe(false);
        budgets = keys.filter((key) => key.includes(deviceId));
        return budgets.length;
      }, WITHIN)
      .toBe(1);
    // Simulates thousands of calls: how many real calls fit in a second depends on the machine.
    await edge.redis.set(budgets[0]!, String(Date.now() + 3_600_000), 'PX', 3_600_000);
    for (const bearer of [former, next]) {
      const refused = await call(deviceId, bearer);
      expect(refused.status).toBe(429);
      expect(refused.headers['ratelimit-policy']).toBe('"agent";q=10;w=1');
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    }
    expect((await call(other.deviceId, other.token)).status).toBe(200);
  });

  it('allow many devices behind one address at once, and count invalid tokens against it', async () => {
    const devices = Array.from({ length: 150 }, () => edge.enrol());
    const come = (each: { deviceId: string; token: string }) =>
      edge.call('GET', `/api/v1/agents/${each.deviceId}/commands`, { token: each.token });
    // In groups: a busy machine cannot complete all handshakes in the ten seconds after which they time out.
    for (let first = 0; first < devices.length; first += 30) {
      const answers = await Promise.all(devices.slice(first, first + 30).map(come));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    }
    const { deviceId } = edge.enrol();
    const guesses: number[] = [];
    // One after the other: parallel requests would all be introspected.
    for (let index = 0; index < 2_000 && guesses.at(-1) !== 429; index += 1) {
      const guess = await come({ deviceId, token: `cla_${randomUUID()}` });
      guesses.push(guess.status);
    }
    expect(guesses.slice(0, 20)).toEqual(Array(20).fill(401));
    expect(guesses.at(-1)).toBe(429);
    // Parallel requests gain nothing over sequential ones, and none is introspected.
    edge.introspections = 0;
    const flood = await Promise.all(
      Array.from({ length: 60 }, () => come({ deviceId, token: `cla_${randomUUID()}` })),
    );
    expect(flood.filter(({ status }) => status === 429).length).toBeGreaterThan(40);
    expect(edge.introspections).toBe(flood.filter(({ status }) => status === 401).length);
    // A cached token is not affected.
    expect((await come(devices[0]!)).status).toBe(200);
  });

  it('count every invalid token of any kind, without affecting valid ones', async () => {
    const { session, token: valid } = await edge.signIn();
    const late = await edge.accessToken(session, (jwt) => jwt.setIssuedAt(1).setExpirationTime(2));
    const elsewhere = await edge.accessToken(session, (jwt) => jwt.setAudience('another'));
    const from = '127.0.0.77';
    const bad = [late, elsewhere, `${valid}x`, 'not.a.token', 'x'.repeat(7_000), 'a b'];
    const send = (index: number) =>
      edge.call('GET', '/api/v1/vault/entries', { token: bad[index % bad.length]!, localAddress: from });
    const answers = await Promise.all(Array.from({ length: 120 }, (_, index) => send(index)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]));
    const refused = answers.filter(({ status }) => status === 429);
    // Twenty at once, and 80 a minute.
    expect(refused.length).toBeGreaterThan(60);
    expect(refused[0]!.headers['ratelimit-policy']).toBe('"token-failure";q=80;w=60');
    expect(Number(refused[0]!.headers['retry-after'])).toBeGreaterThan(0);
    const good = await edge.call('GET', '/api/v1/vault/entries', { token: valid, localAddress: from });
    expect(good.status).toBe(200);
    // Tokens of ended sessions count too, separately.
    session.revoked = true;
    await edge.redis.set(`claviger:live:{${session.sessionId}}`, 'revoked');
    const ended = await Promise.all(
      Array.from({ length: 60 }, () =>
        edge.call('GET', '/api/v1/vault/entries', { token: valid, localAddress: from }),
      ),
    );
    expect(new Set(ended.map(({ status }) => status))).toEqual(new Set([401, 429]));
  });

  it('apply without Redis, while auth is asked for each request', async () => {
    await edge.redisServer.stop();
    await expect
      .poll(async () => (await edge.call('GET', '/system/health/detail', { token })).json.degraded, WITHIN)
      .toContain('gateway:redis');
    edge.introspections = 0;
    const statuses = new Set<number>();
    for (let index = 0; index < 3; index++)
      statuses.add((await edge.call('GET', '/system/health/detail', { token })).status);
    expect([...statuses]).toEqual([200]);
    expect(edge.introspections).toBe(3);
    expect((await edge.call('GET', '/system/health/ready')).status).toBe(200);
  });
});
