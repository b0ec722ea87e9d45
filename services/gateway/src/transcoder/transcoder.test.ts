import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestEdge } from '../../test-support.ts';

let edge: TestEdge;
let token: string;
let agent: ReturnType<TestEdge['enrol']>;

beforeAll(async () => {
  edge = await TestEdge.start({ rateLimits: 'off' });
  ({ token } = await edge.signIn());
  agent = edge.enrol();
});
afterAll(() => edge?.stop());
beforeEach(() => {
  edge.calls.length = 0;
});

const lastCall = () => edge.calls.at(-1)!;
const RULE = '/api/v1/pam/rules/r1';
const patch = (body: unknown, headers: Record<string, string> = {}) =>
  edge.call('PATCH', RULE, { token, body, headers });

describe('null', () => {
  it('is written for an absent field if the contract allows null, in lists too; other absent fields are omitted', async () => {
    const { json } = await edge.call('GET', '/api/v1/pam/elevation-requests', { token });
    const [request] = json.requests as Record<string, unknown>[];
    expect(request).toMatchObject({ id: 'r1', siteId: null, pamRuleId: null, expiresAt: null });
    expect(request).toMatchObject({ toolName: 'shell', reason: '' });
    expect(request).not.toHaveProperty('actionDigest');
    expect(json).not.toHaveProperty('nextCursor');
  });

  it('counts as absent where the contract allows it, objects included, and is refused elsewhere', async () => {
    expect((await patch({ matchSigner: null, timeWindow: null, approvalDurationMinutes: null })).status).toBe(
      200,
    );
    expect(lastCall().request).toMatchObject({
      matchSigner: undefined,
      timeWindow: undefined,
      approvalDurationMinutes: undefined,
    });
    const refused = await patch({ name: null, matchSigner: null });
    expect(refused.json).toMatchObject({
      status: 400,
      errors: [{ pointer: '/name', detail: 'must be a string' }],
    });
  });
});

describe('an update mask', () => {
  it('names the fields of the body, including null ones, and no others', async () => {
    await patch({ name: 'x', siteId: null });
    expect(lastCall().request).toMatchObject({ updateMask: ['name', 'siteId'], name: 'x' });
    await patch({}, { 'if-match': '"1"' });
    expect(lastCall().request).toMatchObject({ updateMask: [], rowVersion: 1 });
  });

  it('cannot be sent by a client', async () => {
    for (const key of ['updateMask', 'update_mask']) {
      const answer = await patch({ name: 'x', [key]: ['siteId'] });
      expect(answer.json).toMatchObject({
        status: 400,
        errors: [{ pointer: `/${key}`, detail: 'contains an unknown field' }],
      });
    }
    const query = await edge.call('PATCH', `${RULE}?updateMask=name`, { token, body: { name: 'x' } });
    expect(query.status).toBe(400);
    expect(edge.calls).toHaveLength(0);
  });
});

it('accepts If-Match on PATCH, also for a version field without presence', async () => {
  const done = await patch({ name: 'x' }, { 'if-match': '"7"' });
  expect([done.status, done.headers.etag]).toEqual([200, expect.stringMatching(/^"2-/)]);
  expect(lastCall().request).toMatchObject({ rowVersion: 7 });
  expect((await patch({ rowVersion: 3 }, { 'if-match': '"7"' })).json).toMatchObject({
    errors: [{ pointer: '/rowVersion', detail: 'differs from If-Match' }],
  });
  expect((await patch({ rowVersion: 7 }, { 'if-match': '"7"' })).status).toBe(200);
});

describe('a prompt that an agent reports', () => {
  const path = () => `/api/v1/agents/${agent.deviceId}/elevation-requests`;
  const prompt = { subject_username: 'acme\\sarah', target_executable_path: 'C:\\x.exe', pid: 4_812 };
  const report = (body: unknown = prompt) => edge.call('POST', path(), { token: agent.token, body });

  it('has the field names of its reference, and no others', async () => {
    expect((await report()).status).toBe(201);
    expect(lastCall().request).toMatchObject({
      id: agent.deviceId,
      subjectUsername: 'acme\\sarah',
      targetExecutablePath: 'C:\\x.exe',
      pid: 4_812,
    });
    const camel = await report({ ...prompt, subjectUsername: 'x' });
    expect(camel.json).toMatchObject({ status: 400, errors: [{ pointer: '/subjectUsername' }] });
    const empty = await report({ ...prompt, subject_username: '' });
    expect(empty.json).toMatchObject({ status: 400, errors: [{ pointer: '/subject_username' }] });
  });

  it('is answered with 201 or 200 as the service decides, without the status in the body', async () => {
    edge.ingestAnswer = { id: 'r1', status: 'pending', httpStatus: 201 };
    const stored = await report();
    expect([stored.status, stored.json]).toEqual([201, { id: 'r1', status: 'pending' }]);
    edge.ingestAnswer = { id: undefined, status: 'ignored', httpStatus: 200 };
    const ignored = await report();
    expect([ignored.status, ignored.json]).toEqual([200, { id: null, status: 'ignored' }]);
  });

  it('fails on a status that the contract does not declare', async () => {
    edge.ingestAnswer = { id: 'r1', status: 'pending', httpStatus: 302 };
    expect((await report()).status).toBe(500);
    edge.ingestAnswer = { id: 'r1', status: 'pending', httpStatus: 0 };
  });

  it('may have exactly 32 KiB, and no more', async () => {
    const sized = (bytes: number) => {
      const rest = JSON.stringify({ ...prompt, command_line: '' }).length;
      return JSON.stringify({ ...prompt, command_line: 'é'.repeat((bytes - rest) >> 1) }).padEnd(
        bytes - ((bytes - rest) >> 1),
        ' ',
      );
    };
    const send = (raw: string) => edge.call('POST', path(), { token: agent.token, raw });
    expect(Buffer.byteLength(sized(32_768))).toBe(32_768);
    expect((await send(sized(32_768))).status).toBe(201);
    const refused = await send(sized(32_769));
    expect(refused.json).toMatchObject({ status: 413, code: 'payload_too_large' });
    expect(refused.json.detail).toContain('32768 bytes');
  });

  it('is refused by its Content-Length before reading, or, in chunks, as soon as it exceeds the limit', async () => {
    const head = `POST ${path()} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${agent.token}\r\nContent-Type: application/json\r\n`;
    // Neither body is ever complete, so an answer shows that the gateway did not wait for the rest.
    const announced = await edge.raw(`${head}Content-Length: 104857600\r\n\r\n{`);
    expect(announced).toMatch(/^HTTP\/1\.1 413 /);
    const chunk = ' '.repeat(33_000);
    const chunked = await edge.raw(
      `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.length.toString(16)}\r\n${chunk}\r\n`,
    );
    expect(chunked).toMatch(/^HTTP\/1\.1 413 /);
    expect(edge.calls).toHaveLength(0);
  });
});
