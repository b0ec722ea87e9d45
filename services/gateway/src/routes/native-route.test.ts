import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestEdge } from '../../test-support.ts';

let edge: TestEdge;
let token: string;

beforeAll(async () => {
  edge = await TestEdge.start({ rateLimits: 'off' });
  ({ token } = await edge.signIn());
});
afterAll(() => edge?.stop());
beforeEach(() => {
  edge.calls.length = 0;
});

const lastCall = () => edge.calls.at(-1)!;

describe('an operation of the contract over REST', () => {
  it('reaches its service with path, actor, request id and address, and answers its JSON', async () => {
    const entry = edge.addEntry();
    const answer = await edge.call('GET', `/api/v1/vault/entries/${entry.id}`, {
      token,
      headers: { 'x-request-id': 'my-id.1' },
    });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ id: entry.id, name: entry.name, tags: [], rowVersion: 1 });
    expect(answer.json).toMatchObject({ createdAt: '2026-01-31T12:00:00.000Z' });
    expect(answer.json).not.toHaveProperty('lastRotatedAt');
    expect(answer.headers).toMatchObject({
      etag: expect.stringMatching(/^"1-/),
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-request-id': 'my-id.1',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'strict-transport-security': expect.stringContaining('max-age='),
    });
    const { context } = lastCall();
    expect(context.requestId).toBe('my-id.1');
    expect(context.sourceAddress).toBe('127.0.0.1');
    expect(context.actor.userName).toBe('alice');
  });

  it('makes an id of its own when the one given is not harmless', async () => {
    const answer = await edge.call('GET', '/system/health/ping', { headers: { 'x-request-id': 'a b"c' } });
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('reads the query strictly, with limit as another name of pageSize', async () => {
    await edge.call('GET', '/api/v1/vault/entries?limit=7&search=a+b%26c&page=2', { token });
    expect(lastCall().request).toMatchObject({ pageSize: 7, search: 'a b&c', page: 2, sortBy: '' });
  });

  it.each([
    ['page=1&page=2', '/page'],
    ['limit=1&pageSize=2', '/pageSize'],
    ['page=1.5', '/page'],
    ['page=01', '/page'],
    ['page=', '/page'],
    ['page=1e2', '/page'],
    ['page=99999999999', '/page'],
    ['page=0', '/page'],
    ['pageSize=101', '/pageSize'],
    ['colour=red', '/colour'],
    ['search[]=x', ''],
    ['search[__proto__]=x', ''],
    ['search=%ff', '/search'],
    ['search=%00', '/search'],
    ['sortOrder=sideways', '/sortOrder'],
  ])('refuses the query %s and names the field', async (query, pointer) => {
    const answer = await edge.call('GET', `/api/v1/vault/entries?${query}`, { token });
    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.json).toMatchObject({ code: 'invalid', errors: [{ pointer }] });
  });

  it('creates with 201, and fills what is left out with zero values', async () => {
    const answer = await edge.call('POST', '/api/v1/vault/entries', {
      token,
      body: { name: 'x', type: 'password', secret: 'y', tags: ['a'] },
    });
    expect(answer.status).toBe(201);
    expect(lastCall().request).toMatchObject({ name: 'x', tags: ['a'], description: '', username: '' });
  });

  it.each([
    ['{"name":"x","tenantId":"t"}', '/tenantId'],
    ['{"name":1}', '/name'],
    ['{"name":null}', '/name'],
    ['{"name":"x","tags":"a"}', '/tags'],
    ['{"name":"x","tags":[1]}', '/tags/0'],
    ['{"name":"x","name":"y"}', '/name'],
    ['{"__proto__":{"name":"x"}}', ''],
    ['{"name":"x"', ''],
    ['[]', ''],
    ['"x"', ''],
    ['{"name":"\\ud800"}', '/name'],
  ])('refuses the body %s and names the field', async (raw, pointer) => {
    const answer = await edge.call('POST', '/api/v1/vault/entries', { token, raw });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({
      errors: expect.arrayContaining([{ pointer, detail: expect.any(String) }]),
    });
    expect(edge.calls).toHaveLength(0);
  });

  it('refuses a path field that stands in the body too, a query on a body route, and a body on a GET', async () => {
    const { id } = edge.addEntry();
    const twice = await edge.call('PUT', `/api/v1/vault/entries/${id}`, { token, body: { entryId: id } });
    expect(twice.json).toMatchObject({ status: 400, errors: [{ pointer: '/entryId' }] });
    const query = await edge.call('PUT', `/api/v1/vault/entries/${id}?_method=DELETE`, { token, body: {} });
    expect(query.json).toMatchObject({ status: 400, errors: [{ pointer: '/_method' }] });
    const body = await edge.call('GET', `/api/v1/vault/entries/${id}`, { token, body: {} });
    expect(body.status).toBe(400);
  });

  it('answers the problems of the service: its field rules, its refusals, and nothing of its failures', async () => {
    const rules = await edge.call('POST', '/api/v1/vault/entries', { token, body: { name: '' } });
    expect(rules.json).toMatchObject({
      status: 400,
      errors: expect.arrayContaining([{ pointer: '/name', detail: expect.any(String) }]),
    });
    const { id } = edge.addEntry();
    const failure = await edge.call('PUT', `/api/v1/vault/entries/${id}/shares/${id}`, {
      token,
      body: { accessType: 'view' },
    });
    if (failure.status !== 400) expect(failure.status).toBe(500);
    expect(failure.text).not.toContain('s3cret');
  });

  it('answers a foreign and an unknown id alike', async () => {
    const answers = await Promise.all(
      ['00000000-0000-4000-8000-000000000000', 'no-uuid'].map((id) =>
        edge.call('GET', `/api/v1/vault/entries/${id}`, { token, headers: { 'x-request-id': 'same' } }),
      ),
    );
    expect(answers[0]!.status).toBe(404);
    expect(answers[0]!.text).toBe(answers[1]!.text);
  });

  it('takes the version from If-Match, and refuses one that names another', async () => {
    const { id } = edge.addEntry();
    const put = (headers: Record<string, string>, body: object = {}) =>
      edge.call('PUT', `/api/v1/vault/entries/${id}`, { token, body, headers });
    const done = await put({ 'if-match': '"1"' });
    expect([done.status, done.headers.etag]).toEqual([200, expect.stringMatching(/^"2-/)]);
    expect((await put({ 'if-none-match': '*' })).status).toBe(412);
    const tag = String(done.headers.etag);
    expect((await put({ 'if-match': `"7-${tag.slice(3)}` })).status).toBe(412);
    expect((await put({ 'if-match': '"1"' })).status).toBe(412);
    expect((await put({ 'if-match': 'W/"2"' })).status).toBe(412);
    expect((await put({ 'if-match': '"2"' }, { rowVersion: 3 })).status).toBe(400);
    expect((await put({ 'if-match': '*' })).status).toBe(200);
  });

  it('deletes with 204 and no body', async () => {
    const { id } = edge.addEntry();
    const answer = await edge.call('DELETE', `/api/v1/vault/entries/${id}`, { token });
    expect([answer.status, answer.text]).toEqual([204, '']);
  });

  it('discloses without ETag, whatever is asked conditionally, and only to POST', async () => {
    const { id } = edge.addEntry();
    const path = `/api/v1/vault/entries/${id}/retrieve`;
    const answer = await edge.call('POST', path, {
      token,
      headers: { 'if-none-match': '"1"', range: 'bytes=0-1' },
    });
    expect(answer.status).toBe(200);
    expect(answer.json.secret).toBe('s3cret');
    expect(answer.headers.etag).toBeUndefined();
    edge.calls.length = 0;
    for (const method of ['HEAD', 'OPTIONS', 'GET', 'TRACE', 'PUT']) {
      const refused = await edge.call(method, path, { token });
      expect([method, refused.status, refused.headers.allow]).toEqual([method, 405, 'POST']);
    }
    expect(edge.calls).toHaveLength(0);
  });

  it('takes plain JSON only, and no more than 1 MiB of it', async () => {
    const post = (raw: string | Buffer, headers: Record<string, string>) =>
      edge.call('POST', '/api/v1/vault/entries', { token, raw, headers });
    expect((await post('{}', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post('{}', { 'content-type': 'application/json; charset=latin1' })).status).toBe(415);
    expect((await post('{}', { 'content-type': '@' })).status).toBe(415);
    expect((await post('{}', { 'content-encoding': 'gzip' })).status).toBe(415);
    expect((await post('{}', { 'content-type': 'application/json; charset=UTF-8' })).status).toBe(400);
    // By its announced length, before the rest is sent: a client that still writes may not get to read the answer.
    const large = await edge.raw(
      `POST /api/v1/vault/entries HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 1048577\r\n\r\n{',
    );
    expect(large).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('lets no other site read: no CORS header, whatever the origin', async () => {
    const answer = await edge.call('GET', '/api/v1/vault/entries', {
      token,
      headers: { origin: 'https://evil.example' },
    });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('a download', () => {
  it('is streamed as a file with a name of ours', async () => {
    edge.exportChunks = 40;
    const answer = await edge.call('GET', '/api/v1/audit/events/export', { token });
    expect(answer.text).toHaveLength(40 * 65_536);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="audit-events-export.csv"',
    });
  });

  it('is a problem when it fails before its first byte, and cut off when it fails later', async () => {
    edge.exportChunks = 'fails';
    const failed = await edge.call('GET', '/api/v1/audit/events/export', { token });
    expect([failed.status, failed.headers['retry-after']]).toEqual([503, undefined]);
    edge.exportChunks = 'breaks';
    await expect(edge.call('GET', '/api/v1/audit/events/export', { token })).rejects.toThrow(
      /aborted|hang up|ECONNRESET/,
    );
  });

  it('stops at the source when the client leaves', async () => {
    edge.exportChunks = 1_000_000;
    edge.exportCancelled = false;
    const { connect } = await import('node:tls');
    const socket = connect({ host: '127.0.0.1', port: edge.gateway.httpPort, ca: edge.ca }, () => {
      socket.write(
        `GET /api/v1/audit/events/export HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      );
    });
    await new Promise((resolve) => socket.once('data', resolve));
    expect(edge.exportCancelled).toBe(false);
    socket.destroy();
    await expect.poll(() => edge.exportCancelled, { timeout: 50_000 }).toBe(true);
  });
});
