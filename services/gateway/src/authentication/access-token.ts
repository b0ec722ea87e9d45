import { createHash, createPublicKey } from 'node:crypto';
import { isUuid } from '@claviger/contracts';
import { keyIdOf } from '@claviger/merkle';
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { BoundedCache } from '../bounded-cache.ts';

const ISSUER = 'claviger-auth';
const AUDIENCE = 'claviger-api';
const TYPE = 'at+jwt';
const CLOCK_SKEW_SECONDS = 60;
/** Auth issues tokens for five minutes; a much longer lifetime is refused. */
const MAX_LIFE_SECONDS = 3_600;
const CACHE_ENTRIES = 10_000;

/** The session of a token. Contains no permissions and does not show that the session is still valid. */
export interface AccessClaims {
  readonly sessionId: string;
  readonly userId: string;
  readonly tenantId: string;
}

/** Returns the claims of a token that auth signed and that has not expired; otherwise undefined. */
export type VerifyAccessToken = (token: string) => Promise<AccessClaims | undefined>;

/**
 * Verifies access tokens: Ed25519 by the key of auth, no headers but alg, kid and typ, exact audience and
 * issuer, and times within 60 seconds. Valid tokens are cached by SHA-256 until they expire.
 */
export function createAccessTokenVerifier(publicKeyPem: string): VerifyAccessToken {
  const key = createPublicKey(publicKeyPem);
  const kid = keyIdOf(key);
  const known = new BoundedCache<AccessClaims>(CACHE_ENTRIES);
  return async (token) => {
    const digest = createHash('sha256').update(token).digest('base64');
    const remembered = known.get(digest);
    if (remembered) return remembered;
    if (!plainHeader(token, kid)) return undefined;
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ['EdDSA'],
        typ: TYPE,
        issuer: ISSUER,
        audience: AUDIENCE,
        clockTolerance: CLOCK_SKEW_SECONDS,
        requiredClaims: ['sub', 'tid', 'sid', 'exp', 'iat'],
      });
      const claims = claimsOf(payload);
      if (claims) known.set(digest, claims, (payload.exp! + CLOCK_SKEW_SECONDS) * 1_000);
      return claims;
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
      throw error;
    }
  };
}

function plainHeader(token: string, kid: string): boolean {
  try {
    const { alg, kid: named, typ, ...others } = decodeProtectedHeader(token);
    return alg === 'EdDSA' && named === kid && typ === TYPE && Object.keys(others).length === 0;
  } catch {
    // Not a JWT.
    return false;
  }
}

function claimsOf({ sub, sid, tid, aud, iat, exp }: JWTPayload): AccessClaims | undefined {
  // A second audience means that the token also serves another system.
  if (aud !== AUDIENCE) return undefined;
  if (!isId(sub) || !isId(sid) || !isId(tid)) return undefined;
  if (iat! > Date.now() / 1_000 + CLOCK_SKEW_SECONDS) return undefined;
  if (exp! - iat! > MAX_LIFE_SECONDS) return undefined;
  return { userId: sub, sessionId: sid, tenantId: tid };
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && isUuid(value);
}
