import { createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { keyIdOf } from '@claviger/merkle';
import { type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { codeOf } from '../../test-support.ts';
import { createAccessTokens } from './access-token.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const tokens = createAccessTokens(privateKey);
const claims = {
  userId: randomUUID(),
  tenantId: randomUUID(),
  sessionId: randomUUID(),
  amr: ['pwd'],
  authenticatedAt: new Date(),
  epoch: 1,
};
const now = Math.floor(Date.now() / 1000);
const payload: JWTPayload = {
  iss: 'claviger-auth',
  aud: 'claviger-api',
  sub: claims.userId,
  tid: claims.tenantId,
  sid: claims.sessionId,
  jti: randomUUID(),
  epoch: 1,
  iat: now,
  exp: now + 300,
};
const header: JWTHeaderParameters = { alg: 'EdDSA', kid: keyIdOf(publicKey), typ: 'at+jwt' };
const signed = (
  over: JWTPayload = {},
  headerOver: Partial<JWTHeaderParameters> = {},
  key: unknown = privateKey,
) =>
  new SignJWT({ ...payload, ...over })
    .setProtectedHeader({ ...header, ...headerOver } as JWTHeaderParameters)
    .sign(key as typeof privateKey);
const verdict = async (token: string | Promise<string>) => codeOf(tokens.verify(await token));

test('an access token identifies its session for five minutes', async () => {
  const token = await tokens.sign(claims);
  const { tenantId, sessionId, userId } = claims;
  expect(await tokens.verify(token)).toEqual({ tenantId, sessionId, userId });
  const said = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as JWTPayload;
  expect(said.exp! - said.iat!).toBe(300);
  expect(Object.keys(said).sort()).toEqual(
    ['acr', 'amr', 'aud', 'auth_time', 'epoch', 'exp', 'iat', 'iss', 'jti', 'sid', 'sub', 'tid'].sort(),
  );
  expect(await verdict(signed())).toBe('ok');
});

test.each<[string, () => Promise<string> | string]>([
  ['nothing', () => ''],
  ['text', () => 'a.b.c'],
  ['200 KB', () => 'a'.repeat(200_000)],
  ['no signature', async () => `${(await signed()).split('.').slice(0, 2).join('.')}.`],
  ['another key', () => signed({}, {}, generateKeyPairSync('ed25519').privateKey)],
  [
    'HS256 with our public key',
    () =>
      signed(
        {},
        { alg: 'HS256' },
        Buffer.from(createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }) as string),
      ),
  ],
  [
    'alg none',
    () =>
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{}').toString('base64url')}.`,
  ],
  ['another type', () => signed({}, { typ: 'actor+jwt' })],
  ['no type', () => signed({}, { typ: undefined as never })],
  ['another kid', () => signed({}, { kid: '0'.repeat(16) })],
  ['jwk in the header', () => signed({}, { jwk: { kty: 'OKP' } })],
  ['jku in the header', () => signed({}, { jku: 'https://evil.test/keys' })],
  ['x5u in the header', () => signed({}, { x5u: 'https://evil.test/key' })],
  ['aud with more', () => signed({ aud: ['claviger-api', 'other'] })],
  ['another aud', () => signed({ aud: 'claviger-agent' })],
  ['another issuer', () => signed({ iss: 'somebody' })],
  ['no exp', () => signed({ exp: undefined as never })],
  ['exp as text', () => signed({ exp: '9999999999' as never })],
  ['iat in the future', () => signed({ iat: now + 120 })],
  ['no session', () => signed({ sid: undefined as never })],
  ['a session that is no id', () => signed({ sid: "' OR 1=1" })],
])('refuses %s', async (_name, token) => {
  expect(await verdict(token())).toBe('token_invalid');
});

test('an expired token is refused as expired', async () => {
  expect(await verdict(signed({ exp: now - 61 }))).toBe('token_expired');
});
