import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import { keyIdOf } from '@claviger/merkle';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TENANT, TestEdge, type TestSession } from '../../test-support.ts';

let edge: TestEdge;

beforeAll(async () => {
  edge = await TestEdge.start({ rateLimits: 'off' });
});
afterAll(() => edge?.stop());
beforeEach(() => {
  edge.introspections = 0;
  edge.authAway = false;
  edge.calls.length = 0;
});

const LIST = '/api/v1/vault/entries';
const list = (token: string) => edge.call('GET', LIST, { token });

describe('a token', () => {
  it('that is missing gives 401 before the request is read further', async () => {
    const answer = await edge.call('POST', LIST, {
      raw: '{"broken',
      headers: { 'content-type': '@', 'content-encoding': 'gzip' },
    });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="claviger"');
    expect(answer.json).toMatchObject({ code: 'token_missing' });
  });

  it('is introspected once, then cached while its session has the same epoch', async () => {
    const { session, token } = await edge.signIn();
    expect((await list(token)).status).toBe(200);
    expect((await list(token)).status).toBe(200);
    expect(edge.introspections).toBe(1);
    await edge.redis.set(`claviger:live:{${session.sessionId}}`, '2');
    session.epoch = 2;
    expect((await list(token)).status).toBe(200);
    expect(edge.introspections).toBe(2);
    await edge.redis.del(`claviger:live:{${session.sessionId}}`);
    expect((await list(token)).status).toBe(200);
    expect(edge.introspections).toBe(3);
  });

  it('is refused at once when its session is revoked, despite a cached token', async () => {
    const { session, token } = await edge.signIn();
    expect((await list(token)).status).toBe(200);
    await edge.redis.set(`claviger:live:{${session.sessionId}}`, 'revoked');
    const answer = await list(token);
    expect([answer.status, edge.introspections]).toEqual([401, 1]);
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
  });

  it('is refused when its liveness is gone and auth refuses it', async () => {
    const { session, token } = await edge.signIn();
    expect((await list(token)).status).toBe(200);
    session.revoked = true;
    await edge.redis.del(`claviger:live:{${session.sessionId}}`);
    expect((await list(token)).status).toBe(401);
  });

  it('is introspected for every call of an operation that the contract marks `fresh`', async () => {
    const { token } = await edge.signIn();
    for (let index = 0; index < 3; index++) await edge.call('POST', '/api/v1/modules', { token, body: {} });
    expect(edge.introspections).toBe(3);
  });

  it('gives 503, never 401, when auth cannot answer', async () => {
    const { token } = await edge.signIn();
    edge.authAway = true;
    expect((await list(token)).status).toBe(503);
  });

  it('may be an API token, whose session is then cached', async () => {
    const { session } = await edge.signIn();
    const token = `clv_${session.sessionId}`;
    expect((await list(token)).status).toBe(200);
    expect((await list(token)).status).toBe(200);
    expect(edge.introspections).toBe(1);
    await edge.redis.set(`claviger:live:{${session.sessionId}}`, 'revoked');
    expect((await list(token)).status).toBe(401);
    expect((await list(`clv_${randomUUID()}`)).status).toBe(401);
  });

  it('may be an agent token, which is introspected once', async () => {
    const { session, token, deviceId } = edge.enrol();
    const commands = () => edge.call('GET', `/api/v1/agents/${deviceId}/commands`, { token });
    expect((await commands()).status).toBe(200);
    expect((await commands()).status).toBe(200);
    expect(edge.introspections).toBe(1);
    await edge.redis.set(`claviger:live:{${session.sessionId}}`, 'revoked');
    expect((await commands()).status).toBe(401);
  });

  it('of an agent gives access only to operations for agents, which no other token can call', async () => {
    const agent = edge.enrol();
    const person = await edge.signIn();
    const commands = `/api/v1/agents/${agent.deviceId}/commands`;
    expect((await list(agent.token)).json).toMatchObject({ status: 403, code: 'not_for_agents' });
    const other = await edge.call('GET', commands, { token: person.token });
    expect(other.json).toMatchObject({ status: 403, code: 'agents_only' });
    expect((await list(`clv_${agent.session.sessionId}`)).status).toBe(401);
    const disguised = await edge.call('GET', commands, { token: `cla_${person.session.sessionId}` });
    expect(disguised.status).toBe(401);
  });

  it('that is revoked while a call waits gets no data that is newer than the revocation', async () => {
    const { session, token, deviceId } = edge.enrol();
    const { promise, resolve } = Promise.withResolvers<void>();
    edge.happened = promise;
    const wait = edge.call('GET', `/api/v1/agents/${deviceId}/commands?waitSeconds=20`, { token });
    await expect
      .poll(() => edge.calls.some(({ method }) => method === 'fetchCommands'), { timeout: 50_000 })
      .toBe(true);
    await edge.redis.set(`claviger:live:{${session.sessionId}}`, 'revoked');
    resolve();
    expect((await wait).status).toBe(401);
  });

  it('that is revoked while a call waits gets no data even when Redis has lost the session', async () => {
    const { session, token, deviceId } = edge.enrol();
    const { promise, resolve } = Promise.withResolvers<void>();
    edge.happened = promise;
    const wait = edge.call('GET', `/api/v1/agents/${deviceId}/commands?waitSeconds=20`, { token });
    await expect
      .poll(() => edge.calls.some(({ method }) => method === 'fetchCommands'), { timeout: 50_000 })
      .toBe(true);
    session.revoked = true;
    await edge.redis.del(`claviger:live:{${session.sessionId}}`);
    resolve();
    expect((await wait).status).toBe(401);
  });

  it('gets its answer if the liveness of its session was only renewed while the call waited', async () => {
    const { session, token, deviceId } = edge.enrol();
    const { promise, resolve } = Promise.withResolvers<void>();
    edge.happened = promise;
    const wait = edge.call('GET', `/api/v1/agents/${deviceId}/commands?waitSeconds=20`, { token });
    await expect
      .poll(() => edge.calls.some(({ method }) => method === 'fetchCommands'), { timeout: 50_000 })
      .toBe(true);
    session.epoch = 2;
    await edge.redis.set(`claviger:live:{${session.sessionId}}`, '2');
    resolve();
    expect((await wait).status).toBe(200);
    expect(edge.introspections).toBe(2);
  });

  it('of an agent shows nothing about another token of the device, even in one session', async () => {
    const { session, token, deviceId } = edge.enrol();
    const commands = (bearer: string) =>
      edge.call('GET', `/api/v1/agents/${deviceId}/commands`, { token: bearer });
    expect((await commands(token)).status).toBe(200);
    session.epoch = 2;
    await edge.redis.set(`claviger:live:{${session.sessionId}}`, '2');
    const next = edge.enrol(deviceId);
    expect((await commands(next.token)).status).toBe(200);
    session.revoked = true;
    expect((await commands(token)).status).toBe(401);
  });

  it('is passed to a public operation when valid, and ignored otherwise', async () => {
    const { session, token } = await edge.signIn();
    const refresh = (bearer?: string) =>
      edge.call('POST', '/api/v1/auth/refresh', bearer === undefined ? {} : { token: bearer });
    expect((await refresh(token)).json.access_token).toBe(session.userId);
    expect((await refresh()).json.access_token).toBe('nobody');
    expect((await refresh('rubbish')).json.access_token).toBe('nobody');
    session.revoked = true;
    expect((await refresh(token)).json.access_token).toBe('nobody');
  });

  it('without the permission gives 403 before the fields are validated', async () => {
    const { token } = await edge.signIn(['vault.entries.read']);
    const answer = await edge.call('POST', LIST, { token, body: {} });
    expect([answer.status, answer.json.code]).toEqual([403, 'denied']);
  });
});

describe('an access token that auth did not issue in this form', () => {
  const now = () => Math.floor(Date.now() / 1_000);
  const kid = () => keyIdOf(edge.accessKeys.publicKey);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

  const forged: Record<string, (session: TestSession) => Promise<string> | string> = {
    'is signed by HMAC with our public key': (session) => {
      const secret = edge.accessKeys.publicKey.export({ type: 'spki', format: 'pem' });
      const text = `${part({ alg: 'HS256', kid: kid(), typ: 'at+jwt' })}.${part(claims(session))}`;
      return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
    },
    'is not signed at all': (session) =>
      `${part({ alg: 'none', kid: kid(), typ: 'at+jwt' })}.${part(claims(session))}.`,
    'is signed by another key': (session) => sign(session, {}, {}, generateKeyPairSync('ed25519').privateKey),
    'contains its own key': (session) =>
      sign(session, {}, { jwk: edge.accessKeys.publicKey.export({ format: 'jwk' }) }),
    'points to a key': (session) => sign(session, {}, { jku: 'https://evil.example/keys' }),
    'has another kid': (session) => sign(session, {}, { kid: 'other' }),
    'has no kid': (session) => sign(session, {}, { kid: undefined }),
    'has another type': (session) => sign(session, {}, { typ: 'mfa+jwt' }),
    'has expired 61 seconds ago': (session) => sign(session, { exp: now() - 61 }),
    'never expires': (session) => sign(session, { exp: undefined }),
    'expires at the end of time': (session) => sign(session, { exp: 1e308 }),
    'expires at a text': (session) => sign(session, { exp: 'tomorrow' }),
    'is from the future': (session) => sign(session, { iat: now() + 120 }),
    'is not valid yet': (session) => sign(session, { nbf: now() + 120 }),
    'has a second audience': (session) => sign(session, { aud: ['claviger-api', 'other'] }),
    'is for another audience': (session) => sign(session, { aud: 'claviger-agent' }),
    'is from another issuer': (session) => sign(session, { iss: 'evil' }),
    'names no session': (session) => sign(session, { sid: undefined }),
    'is far too long': (session) => sign(session, { pad: 'x'.repeat(9_000) }),
    'was changed in its payload': async (session) => {
      const [header, , signature] = (await sign(session, {})).split('.');
      return `${header}.${part({ ...claims(session), sub: randomUUID() })}.${signature}`;
    },
  };

  function claims(session: TestSession) {
    const { sessionId: sid, userId: sub } = session;
    return { iss: 'claviger-auth', aud: 'claviger-api', sub, sid, tid: TENANT, iat: now(), exp: now() + 300 };
  }

  function sign(session: TestSession, change: object, header: object = {}, key = edge.accessKeys.privateKey) {
    return new SignJWT({ ...claims(session), ...change } as never)
      .setProtectedHeader({ alg: 'EdDSA', kid: kid(), typ: 'at+jwt', ...header })
      .sign(key);
  }

  it.each(Object.keys(forged))('is refused without asking auth when it %s', async (name) => {
    const { session } = await edge.signIn();
    const answer = await list(await forged[name]!(session));
    expect([answer.status, edge.introspections]).toEqual([401, 0]);
  });

  it('is accepted within 60 seconds after its end, as a control', async () => {
    const { session } = await edge.signIn();
    expect((await list(await sign(session, { exp: now() - 30 }))).status).toBe(200);
  });
});
