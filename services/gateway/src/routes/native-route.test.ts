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
  it('reaches its service with path, actor, request id and address, and returns its JSON', async () => {
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

  it('refuses an invalid request id under a new id, and ignores an invalid trace', async () => {
    for (const id of ['a b"c', 'x'.repeat(65), '', 'id,id', '\xe9', 'a/../b']) {
      const headers = { 'x-request-id': id };
      const answer = await edge.call('GET', '/system/health/ping', { headers });
      expect(answer.json, id).toMatchObject({ status: 400, code: 'header_invalid' });
      expect(answer.json.detail).toContain('X-Request-Id');
      expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    }
    for (const traceparent of ['x', `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`, '\xff'.repeat(55)]) {
      const answer = await edge.call('GET', '/api/v1/vault/entries', { token, headers: { traceparent } });
      expect(answer.status).toBe(200);
    }
  });

  it('decodes the query strictly, with limit as an alias of pageSize', async () => {
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

  it('creates with 201, and fills omitted fields with zero values', async () => {
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

  it('refuses a path field in the body, a query on a body route, and a body on a GET', async () => {
    const { id } = edge.addEntry();
    const twice = await edge.call('PUT', `/api/v1/vault/entries/${id}`, { token, body: { entryId: id } });
    expect(twice.json).toMatchObject({ status: 400, errors: [{ pointer: '/entryId' }] });
    const query = await edge.call('PUT', `/api/v1/vault/entries/${id}?_method=DELETE`, { token, body: {} });
    expect(query.json).toMatchObject({ status: 400, errors: [{ pointer: '/_method' }] });
    const body = await edge.call('GET', `/api/v1/vault/entries/${id}`, { token, body: {} });
    expect(body.status).toBe(400);
  });

  it('returns problems of the service: its field rules and refusals, but no internals of its failures', async () => {
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

  it('gives the same answer for a foreign and an unknown id', async () => {
    const answers = await Promise.all(
      ['00000000-0000-4000-8000-000000000000', 'no-uuid'].map((id) =>
        edge.call('GET', `/api/v1/vault/entries/${id}`, { token, headers: { 'x-request-id': 'same' } }),
      ),
    );
    expect(answers[0]!.status).toBe(404);
    expect(answers[0]!.text).toBe(answers[1]!.text);
  });

  it('takes the version from If-Match, and refuses a body with another version', async () => {
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

  it.each([
    ['"99999999999999999999999"', 412],
    ['"9999999999"', 412],
    ['"2147483648"', 412],
    // Modulo 2^32 it equals the version of the object.
    ['"4294967297"', 412],
    ['"0"', 412],
    ['"-1"', 412],
    ['"01"', 412],
    ['"1.0"', 412],
    ['"1e0"', 412],
    ['"\\u0031"', 412],
    ['"+1"', 412],
    ['"１"', 412],
    ['""', 412],
    ['"x"', 412],
    ['"\xff\xfe"', 412],
    ['W/"1"', 412],
    ['W/"1", W/"2"', 412],
    ['', 412],
    [' , ,', 412],
    ['"1", "2"', 412],
    ['1', 400],
    ['"1', 400],
    ['w/"1"', 400],
    ['"1" "2"', 400],
    ['*, "1"', 400],
    ['"a b"', 400],
    ['\xff', 400],
    [`,${' '.repeat(8_000)}x`, 400],
    ['"1"', 200],
    ['"1-abc", "1"', 200],
    [',W/"7" ,"other", "1"\t,', 200],
    ['*', 200],
  ])('accepts If-Match by RFC 9110, within the range of versions: %s', async (ifMatch, status) => {
    const { id } = edge.addEntry();
    for (const [path, body] of [
      [`/api/v1/vault/entries/${id}`, '{}'],
      // A version field without presence.
      ['/api/v1/pam/rules/r1', '{"name":"x"}'],
    ] as const) {
      edge.calls.length = 0;
      const head = `${path.includes('pam') ? 'PATCH' : 'PUT'} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n`;
      const text = `Authorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
      // Encoded explicitly: beyond latin1 as UTF-8.
      const value = Buffer.from(ifMatch, /[^\0-\xff]/.test(ifMatch) ? 'utf8' : 'latin1');
      const bytes = Buffer.concat([
        Buffer.from(`${head}${text}If-Match: `),
        value,
        Buffer.from(`\r\n\r\n${body}`),
      ]);
      const answer = await edge.raw(bytes);
      expect(answer.slice(9, 12), answer).toBe(String(status));
      expect(edge.calls).toHaveLength(status === 200 ? 1 : 0);
      if (status === 400) expect(answer).toContain('The header If-Match is not valid.');
      if (status === 412) expect(answer).toContain('precondition_failed');
    }
  });

  it('accepts If-Match for a POST with a version too', async () => {
    const coSign = (headers: Record<string, string>) =>
      edge.call('POST', '/api/v1/pam/rules/r1/co-sign', { token, body: {}, headers });
    expect((await coSign({ 'if-match': '"99999999999"' })).status).toBe(412);
    expect((await coSign({ 'if-match': 'x' })).status).toBe(400);
    expect((await coSign({ 'if-match': '"1"' })).status).toBe(404);
  });

  it('names the header with invalid bytes, and repeats none of them', async () => {
    const send = (line: Buffer) =>
      edge.raw(
        Buffer.concat([
          Buffer.from(
            `POST /api/v1/vault/entries HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n` +
              'Content-Type: application/json\r\nConnection: close\r\nContent-Length: 2\r\n',
          ),
          line,
          Buffer.from('\r\n\r\n{}'),
        ]),
      );
    for (const name of ['Idempotency-Key', 'X-Request-Id']) {
      for (const value of ['k\xff', '\xc3\x28', '\xed\xa0\x80', 'é', 'a\tb', 'a b', '', 'x'.repeat(256)]) {
        const answer = await send(Buffer.from(`${name}: ${value}`, 'latin1'));
        expect(answer, name).toMatch(/^HTTP\/1\.1 400 /);
        expect(answer).toContain(`The header ${name} is not valid.`);
      }
    }
    // A control character in a header makes the whole input invalid HTTP.
    for (const value of ['a\0b', 'a\x01b', 'a\x7fb', 'a\rb', 'a\nb']) {
      for (const name of ['Idempotency-Key', 'If-Match', 'X-Request-Id', 'traceparent', 'User-Agent']) {
        const answer = await send(Buffer.from(`${name}: ${value}`, 'latin1'));
        expect(answer, JSON.stringify(`${name}: ${value}`)).toMatch(/^HTTP\/1\.1 400 /);
        const named =
          name === 'User-Agent' ? 'Not an HTTP request' : `The header ${name.toLowerCase()} contains`;
        expect(answer).toContain(named);
      }
    }
    expect(edge.calls).toHaveLength(0);
  });

  it('deletes with 204 and no body', async () => {
    const { id } = edge.addEntry();
    const answer = await edge.call('DELETE', `/api/v1/vault/entries/${id}`, { token });
    expect([answer.status, answer.text]).toEqual([204, '']);
  });

  it('discloses without ETag, despite any condition, and only to POST', async () => {
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

  it('answers HEAD as GET, without the body', async () => {
    const { id } = edge.addEntry();
    const ask = (method: string, path: string) =>
      edge.raw(
        `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nX-Request-Id: r\r\nConnection: close\r\n\r\n`,
      );
    const headOf = (text: string) =>
      text
        .slice(0, text.indexOf('\r\n\r\n') + 4)
        .replace(/^Date: .*\r\n/im, '')
        .replace(/^Transfer-Encoding: .*\r\n/im, '');
    edge.exportChunks = 2;
    for (const [path, status] of [
      [`/api/v1/vault/entries/${id}`, 200],
      ['/api/v1/vault/entries', 200],
      ['/api/v1/audit/events/export', 200],
      ['/api/v1/vault/entries?page=0', 400],
      ['/api/v1/vault/entries/00000000-0000-4000-8000-000000000000', 404],
      ['/api/v1/nothing', 404],
      ['/', 200],
      ['/openapi.json', 200],
      ['/setup', 200],
      ['/reset', 200],
      ['/system/health/ping', 200],
      ['/system/health/live', 200],
      ['/system/health/ready', 200],
    ] as const) {
      const [head, get] = [await ask('HEAD', path), await ask('GET', path)];
      expect(get.slice(9, 12), path).toBe(String(status));
      expect(get.length, path).toBeGreaterThan(headOf(get).length);
      expect(headOf(head), path).toBe(headOf(get));
      expect(head.slice(head.indexOf('\r\n\r\n')), path).toBe('\r\n\r\n');
    }
    const etag = String((await edge.call('GET', `/api/v1/vault/entries/${id}`, { token })).headers.etag);
    const same = await edge.call('HEAD', `/api/v1/vault/entries/${id}`, {
      token,
      headers: { 'if-none-match': etag },
    });
    expect([same.status, same.headers.etag]).toEqual([304, etag]);
  });

  it('ends a stream at its source after the headers of HEAD', async () => {
    edge.exportChunks = 1_000_000;
    edge.exportCancelled = false;
    expect((await edge.call('HEAD', '/api/v1/audit/events/export', { token })).status).toBe(200);
    await expect.poll(() => edge.exportCancelled, { timeout: 50_000 }).toBe(true);
    edge.exportChunks = 3;
  });

  it('H-102, H-171: HEAD requires the same sign-in, and is refused where the operation discloses or delivers something', async () => {
    for (const path of ['/api/v1/vault/entries', '/system/health/detail', '/api/v1/audit/events/export'])
      expect((await edge.call('HEAD', path)).status, path).toBe(401);
    const { token: weak } = await edge.signIn([]);
    expect((await edge.call('HEAD', '/api/v1/vault/entries', { token: weak })).status).toBe(403);
    const agent = edge.enrol();
    edge.calls.length = 0;
    for (const [path, bearer] of [
      ['/api/v1/auth/mfa/setup', token],
      [`/api/v1/grants/${agent.deviceId}/credentials`, token],
      [`/api/v1/agents/${agent.deviceId}/commands`, agent.token],
    ] as const) {
      const refused = await edge.call('HEAD', path, { token: bearer });
      expect([refused.status, refused.text], path).toEqual([405, '']);
      expect(refused.headers.allow, path).toMatch(/^GET(, POST)?$/);
    }
    expect(edge.calls).toHaveLength(0);
  });

  it('accepts only plain JSON, at most 1 MiB', async () => {
    const post = (raw: string | Buffer, headers: Record<string, string>) =>
      edge.call('POST', '/api/v1/vault/entries', { token, raw, headers });
    expect((await post('{}', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post('{}', { 'content-type': 'application/json; charset=latin1' })).status).toBe(415);
    expect((await post('{}', { 'content-type': '@' })).status).toBe(415);
    expect((await post('{}', { 'content-encoding': 'gzip' })).status).toBe(415);
    expect((await post('{}', { 'content-type': 'application/json; charset=UTF-8' })).status).toBe(400);
    // Announce the length and send no body: a client that is still writing may not read the answer.
    const large = await edge.raw(
      `POST /api/v1/vault/entries HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 1048577\r\n\r\n{',
    );
    expect(large).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('sends no CORS header for any origin', async () => {
    const answer = await edge.call('GET', '/api/v1/vault/entries', {
      token,
      headers: { origin: 'https://evil.example' },
    });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('a download', () => {
  it('is streamed as a file with a name from the route', async () => {
    edge.exportChunks = 40;
    const answer = await edge.call('GET', '/api/v1/audit/events/export', { token });
    expect(answer.text).toHaveLength(40 * 65_536);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="audit-events-export.csv"',
    });
  });

  it('is a problem when it fails before its first byte, and aborted when it fails later', async () => {
    edge.exportChunks = 'fails';
    const failed = await edge.call('GET', '/api/v1/audit/events/export', { token });
    expect([failed.status, failed.headers['retry-after']]).toEqual([503, undefined]);
    edge.exportChunks = 'breaks';
    await expect(edge.call('GET', '/api/v1/audit/events/export', { token })).rejects.toThrow(
      /aborted|hang up|ECONNRESET/,
    );
  });

  it('stops at the source when the client disconnects', async () => {
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
