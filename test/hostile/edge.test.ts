import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { connectNetwork, type Network, type RestClient, type TestTenant } from '@claviger/testkit';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

let network: Network;
let tenant: TestTenant;
let admin: RestClient;
beforeAll(async () => {
  network = connectNetwork(inject('network'));
  tenant = await network.createTenant();
  admin = tenant.admin.client;
});
afterAll(async () => network?.[Symbol.asyncDispose]());

/** Sends raw bytes; returns the status code, or 0 if the connection was closed without an answer. */
function raw(lines: readonly string[], body = ''): Promise<{ status: number; text: string }> {
  const url = new URL(network.access.urls[0]!);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: '127.0.0.1',
      port: Number(url.port),
      servername: 'localhost',
      ca: readFileSync(network.access.caCertificate),
    });
    let text = '';
    socket.setTimeout(15_000, () => socket.destroy(new Error('no answer')));
    socket.on('secureConnect', () =>
      socket.write(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n${body}`),
    );
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      ['ECONNRESET', 'EPIPE'].includes(error.code ?? '') ? undefined : reject(error),
    );
    socket.on('close', () => resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text }));
  });
}

const withToken = (requestLine: string): string[] => [
  requestLine,
  'Host: localhost',
  `Authorization: Bearer ${tenant.admin.token}`,
];

describe('H-100 spellings of a path', () => {
  test.each([
    '/api/v1/./users',
    '//api/v1/users',
    '/api/v1/%75sers',
    '/API/v1/users',
    '/api/v1/users;a',
    '/api/v1/users/',
    '/x/../api/v1/users',
    '/system/health/ping/..%2f..%2fapi/v1/users',
    '/api/v1\\users',
    '/api/v1/users%00',
    '/api/v1/users/%c0%af',
    '/api/v1/users/%2e%2e/roles',
  ])('%s opens nothing, with or without a token', async (path) => {
    const signedIn = await raw(withToken(`GET ${path} HTTP/1.1`));
    expect([400, 401, 404]).toContain(signedIn.status);
    const anonymous = await raw([`GET ${path} HTTP/1.1`, 'Host: localhost']);
    expect([400, 401, 404]).toContain(anonymous.status);
  });
});

describe('H-102 methods in disguise', () => {
  test('override headers are ignored', async () => {
    const answer = await admin.get('/api/v1/users', { headers: { 'x-http-method-override': 'DELETE' } });
    expect(answer.status).toBe(200);
  });
  test.each(['TRACE', 'CONNECT', 'PROPFIND'])('%s is refused', async (method) => {
    const { status } = await raw(withToken(`${method} /api/v1/users HTTP/1.1`));
    expect([0, 400, 404, 405]).toContain(status);
  });
  test('HEAD never consumes a one-time credential', async () => {
    expect(
      (await raw(withToken(`HEAD /api/v1/grants/${crypto.randomUUID()}/credentials HTTP/1.1`))).status,
    ).toBe(405);
  });
});

describe('bodies', () => {
  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=latin1',
    'application/jsonp',
  ])('H-010 content type %s is refused', async (contentType) => {
    const answer = await admin.call('POST', '/api/v1/resources', undefined, {
      raw: '{"name":"x","type":"server"}',
      headers: { 'content-type': contentType },
    });
    expect(answer.status).toBe(415);
  });
  test.each([
    ['a string at the root', '"x"'],
    ['a number at the root', '1'],
    ['null at the root', 'null'],
    ['a list at the root', '[]'],
    ['nothing but blanks', '   '],
    ['a duplicate key', '{"name":"a","name":"b","type":"server"}'],
    ['__proto__', '{"name":"a","type":"server","__proto__":{"polluted":1}}'],
    ['constructor', '{"name":"a","type":"server","settings":{"constructor":{"prototype":{"polluted":1}}}}'],
    ['a depth of 10,000', `{"settings":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`],
    ['a lone surrogate', '{"name":"\\ud800","type":"server"}'],
    ['NUL', '{"name":"a\\u0000b","type":"server"}'],
    ['a number for a text', '{"name":1,"type":"server"}'],
    ['a text for a number', '{"name":"a","type":"server","port":"22"}'],
    ['a fraction', '{"name":"a","type":"server","port":1.5}'],
    ['a trailing comma', '{"name":"a","type":"server",}'],
    ['two documents', '{"name":"a","type":"server"}{}'],
  ])('H-286/H-248 %s is refused as 400', async (_, body) => {
    const answer = await admin.call('POST', '/api/v1/resources', undefined, { raw: body });
    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
  test.each(['tenantId', 'tenant_id', 'ownerId', 'createdBy', 'id', 'status', 'rowVersion'])(
    'H-095 the unknown field %s is refused by name',
    async (field) => {
      const answer = await admin.post('/api/v1/resources', {
        name: 'x',
        type: 'server',
        [field]: crypto.randomUUID(),
      });
      expect(answer.status).toBe(400);
      expect(answer.body.errors).toEqual([expect.objectContaining({ pointer: `/${field}` })]);
    },
  );
  test.each(['roles', 'isSuperAdmin', 'mfaEnabled', 'passwordHash', 'lockedUntil', 'epoch'])(
    'H-096 users cannot write %s through their own record',
    async (field) => {
      const before = await admin.must('GET', `/api/v1/users/${tenant.admin.id}`);
      const answer = await admin.put(`/api/v1/users/${tenant.admin.id}`, {
        [field]: field === 'roles' ? ['administrator'] : true,
      });
      expect(answer.status).toBe(400);
      expect(await admin.must('GET', `/api/v1/users/${tenant.admin.id}`)).toEqual(before);
    },
  );
  test('H-282 a body over the limit is refused unread', async () => {
    const { status } = await raw([
      ...withToken('POST /api/v1/resources HTTP/1.1'),
      'Content-Type: application/json',
      'Content-Length: 104857600',
    ]);
    expect(status).toBe(413);
  });
  test('H-282 compressed bodies are refused', async () => {
    const answer = await admin.call('POST', '/api/v1/resources', undefined, {
      raw: 'x',
      headers: { 'content-encoding': 'gzip' },
    });
    expect(answer.status).toBe(415);
  });
});

describe('a header with a single value is accepted once', () => {
  test.each([
    ['Authorization', 'Bearer x'],
    ['Host', 'evil.test'],
    ['Content-Type', 'text/plain'],
    ['Content-Length', '2'],
    ['Idempotency-Key', 'another'],
    ['If-Match', '"1"'],
    ['X-Forwarded-For', '203.0.113.9'],
    ['X-Forwarded-Host', 'localhost'],
    ['X-Forwarded-Proto', 'http'],
    ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
    ['X-Something-Else', 'x'],
  ])('%s twice is refused, with or without a token', async (name, value) => {
    const own = ['Host', 'Content-Type', 'Content-Length'].includes(name);
    const lines = [
      'Content-Type: application/json',
      'Content-Length: 2',
      ...(own ? [] : [`${name}: ${value}`]),
      `${name.toLowerCase()}: ${value}`,
    ];
    const start = 'POST /api/v1/resources HTTP/1.1';
    expect((await raw([...withToken(start), ...lines], '{}')).status).toBe(400);
    expect((await raw([start, 'Host: localhost', ...lines], '{}')).status).toBe(400);
  });
});

describe('requests from unknown senders', () => {
  test('a body of more than 16 KB is not read', async () => {
    const lines = ['Host: localhost', 'Content-Type: application/json', 'Content-Length: 1000000'];
    for (const path of ['login', 'refresh', 'setup', 'password/reset'])
      expect((await raw([`POST /api/v1/auth/${path} HTTP/1.1`, ...lines], '{"username":"')).status).toBe(413);
    // An unauthenticated call is refused before its body is read.
    expect((await raw(['POST /api/v1/resources HTTP/1.1', ...lines], '{"name":"')).status).toBe(401);
  });
});

describe('headers', () => {
  test('H-284 64 KB of headers', async () => {
    expect(
      (await raw([...withToken('GET /api/v1/users HTTP/1.1'), `X-Long: ${'a'.repeat(65_536)}`])).status,
    ).toBe(431);
  });
  test.each(['null', 'https://evil.test', 'https://localhost.evil.test'])(
    'H-292 no cross-origin headers for %s',
    async (origin) => {
      const answer = await admin.get('/api/v1/users', { headers: { origin } });
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    },
  );
  test('H-128 answers with secrets are never stored, tagged or conditional', async () => {
    const entry = await admin.must('POST', '/api/v1/vault/entries', {
      name: 'headers',
      type: 'note',
      secret: 'x',
    });
    const answer = await admin.post(
      `/api/v1/vault/entries/${entry.id}/retrieve`,
      { reason: 'r' },
      { headers: { 'if-none-match': '*', range: 'bytes=0-1', 'accept-encoding': 'gzip' } },
    );
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      'cache-control': expect.stringContaining('no-store'),
      'x-content-type-options': 'nosniff',
    });
    expect(answer.headers).not.toHaveProperty('etag');
    expect(answer.headers).not.toHaveProperty('content-encoding');
  });
});

describe('queries', () => {
  test.each([
    'status=active&status=disabled',
    'status[]=active',
    'a[__proto__]=x',
    'unknown=1',
    'page=1&page=2',
    'page=%2b1',
    'page=0x1',
    'metadata.a%22%5D%20IS%20NULL%20--=x',
  ])('H-242 H-244 %s is refused', async (query) => {
    expect((await admin.get(`/api/v1/users?${query}`)).status).toBe(400);
  });
  test.each(['passwordHash', '(select%201)', 'name;drop', '__proto__', 'toString', 'constructor'])(
    'H-240 sortBy=%s is refused',
    async (sortBy) => {
      expect((await admin.get(`/api/v1/users?sortBy=${sortBy}`)).status).toBe(400);
    },
  );
  test('H-241 wildcards are literal characters', async () => {
    await admin.must('POST', '/api/v1/resources', { name: 'literal 100% a_b', type: 'server' });
    await admin.must('POST', '/api/v1/resources', { name: 'another one', type: 'server' });
    for (const [search, count] of [
      ['100%25', 1],
      ['a_b', 1],
      ['%25', 1],
      ['_', 1],
      ["'", 0],
      ['%5C', 0],
    ] as const) {
      const answer = await admin.must('GET', `/api/v1/resources?search=${search}`);
      expect({ search, total: answer.totalItems }).toEqual({ search, total: count });
    }
    expect((await admin.get('/api/v1/resources?search=%00')).status).toBe(400);
    expect((await admin.get(`/api/v1/resources?search=${'x'.repeat(201)}`)).status).toBe(400);
  });
  test.each(['from=2026-02-30', 'from=yesterday', 'from=2026-03-01&to=2026-02-01'])(
    'H-243 %s is refused',
    async (query) => {
      expect((await admin.get(`/api/v1/audit/events?${query}`)).status).toBe(400);
    },
  );
});
