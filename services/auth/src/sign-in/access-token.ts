import { createPublicKey, type KeyObject, randomUUID } from 'node:crypto';
import { isUuid } from '@claviger/contracts';
import { ClavigerError } from '@claviger/errors';
import { keyIdOf } from '@claviger/merkle';
import { errors, jwtVerify, SignJWT } from 'jose';

export const ACCESS_TOKEN_TTL_SECONDS = 300;
const ISSUER = 'claviger-auth';
const AUDIENCE = 'claviger-api';
const TYPE = 'at+jwt';
const CLOCK_SKEW_SECONDS = 60;
const MAX_LENGTH = 8_192;
const HEADER_MEMBERS = new Set(['alg', 'kid', 'typ']);

/**
 * The claims of a session at the time of signing. The row of the session is authoritative, not the claims.
 */
export interface AccessClaims {
  readonly userId: string;
  readonly tenantId: string;
  readonly sessionId: string;
  readonly amr: readonly string[];
  readonly authenticatedAt: Date;
  /** Sum of the epochs of user and session. */
  readonly epoch: number;
}

export interface AccessTokens {
  sign(claims: AccessClaims): Promise<string>;
  /** Throws `unauthenticated` unless the token was signed by this service and is still valid. */
  verify(token: string): Promise<{ tenantId: string; sessionId: string; userId: string }>;
}

export function createAccessTokens(privateKey: KeyObject): AccessTokens {
  const publicKey = createPublicKey(privateKey);
  const kid = keyIdOf(publicKey);
  return {
    sign: (claims) =>
      new SignJWT({
        tid: claims.tenantId,
        sid: claims.sessionId,
        amr: [...claims.amr],
        acr: claims.amr.length > 1 ? 'mfa' : 'pwd',
        auth_time: Math.floor(claims.authenticatedAt.getTime() / 1000),
        epoch: claims.epoch,
      })
        .setProtectedHeader({ alg: 'EdDSA', kid, typ: TYPE })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(claims.userId)
        .setJti(randomUUID())
        .setIssuedAt()
        .setExpirationTime(`${ACCESS_TOKEN_TTL_SECONDS}s`)
        .sign(privateKey),
    verify: async (token) => {
      if (token.length > MAX_LENGTH) throw invalidToken();
      const { payload, protectedHeader } = await verified(token, publicKey);
      const { tid, sid, sub, iat, aud } = payload;
      const wellFormed =
        protectedHeader.kid === kid &&
        Object.keys(protectedHeader).every((member) => HEADER_MEMBERS.has(member)) &&
        aud === AUDIENCE &&
        typeof tid === 'string' &&
        typeof sid === 'string' &&
        typeof sub === 'string' &&
        [tid, sid, sub].every(isUuid) &&
        Number.isSafeInteger(iat) &&
        iat! <= Date.now() / 1000 + CLOCK_SKEW_SECONDS;
      if (!wellFormed) throw invalidToken();
      return { tenantId: tid, sessionId: sid, userId: sub };
    },
  };
}

async function verified(token: string, key: KeyObject) {
  try {
    return await jwtVerify(token, key, {
      algorithms: ['EdDSA'],
      typ: TYPE,
      issuer: ISSUER,
      audience: AUDIENCE,
      clockTolerance: CLOCK_SKEW_SECONDS,
      requiredClaims: ['sub', 'tid', 'sid', 'jti', 'exp', 'iat', 'epoch'],
    });
  } catch (error) {
    if (error instanceof errors.JWTExpired) {
      throw new ClavigerError('unauthenticated', 'The access token has expired.', {
        code: 'token_expired',
        hint: 'Refresh it with POST /api/v1/auth/refresh, or sign in again.',
      });
    }
    if (error instanceof errors.JOSEError || error instanceof TypeError) throw invalidToken();
    throw error;
  }
}

export function invalidToken(): ClavigerError {
  return new ClavigerError('unauthenticated', 'The token is not valid.', {
    code: 'token_invalid',
    hint: 'Sign in again.',
  });
}
