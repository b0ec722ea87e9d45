import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { ClavigerError } from '@claviger/errors';
import { errors, jwtVerify, SignJWT } from 'jose';
import type { Actor } from './actor.ts';

const ISSUER = 'claviger-auth';
const TYPE = 'actor+jwt';
export const ACTOR_TOKEN_TTL_SECONDS = 60;
const CLOCK_SKEW_SECONDS = 5;
const CACHE_ENTRIES = 10_000;

/**
 * Signs an Ed25519 token that names the actor. It is valid for 60 seconds and only for the named services.
 */
export async function signActorToken(
  actor: Actor,
  audiences: readonly string[],
  key: KeyObject,
): Promise<{ token: string; expiresAt: Date }> {
  const expiresAtSeconds = Math.floor(Date.now() / 1000) + ACTOR_TOKEN_TTL_SECONDS;
  const token = await new SignJWT({
    tid: actor.tenantId,
    plt: actor.platform,
    sid: actor.sessionId,
    name: actor.userName,
    kind: actor.kind,
    perms: [...actor.permissions],
    roles: actor.roles,
    mfp: actor.mfaPending,
    mfa: actor.mfaAt,
    ...(actor.emergency ? { emg: true } : {}),
    ...(actor.siteIds ? { sites: actor.siteIds } : {}),
    ...(actor.responsibleId === undefined ? {} : { rsp: actor.responsibleId }),
    ...(actor.behind?.length ? { bhd: actor.behind } : {}),
    ...(actor.device ? { dev: actor.device } : {}),
  })
    .setProtectedHeader({ alg: 'EdDSA', typ: TYPE })
    .setIssuer(ISSUER)
    .setSubject(actor.userId)
    .setAudience([...audiences])
    .setIssuedAt()
    .setExpirationTime(expiresAtSeconds)
    .sign(key);
  return { token, expiresAt: new Date(expiresAtSeconds * 1000) };
}

export type ActorVerifier = (token: string) => Promise<Actor>;

/**
 * Verifies actor tokens for `audience`. A verified token is cached by its SHA-256 until it expires: verifying
 * a signature in each call would limit a core to about 10,000 calls a second.
 */
export function createActorVerifier(options: { publicKeyPem: string; audience: string }): ActorVerifier {
  const key = createPublicKey(options.publicKeyPem);
  const cache = new Map<string, { actor: Actor; expiresAtMs: number }>();
  return async (token) => {
    const cacheKey = createHash('sha256').update(token).digest('base64');
    const known = cache.get(cacheKey);
    if (known && known.expiresAtMs > Date.now()) return known.actor;
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ['EdDSA'],
        typ: TYPE,
        issuer: ISSUER,
        audience: options.audience,
        clockTolerance: CLOCK_SKEW_SECONDS,
        requiredClaims: ['sub', 'tid', 'sid', 'exp', 'iat'],
      });
      const actor: Actor = {
        userId: payload.sub!,
        userName: payload.name as string,
        tenantId: payload.tid as string,
        platform: payload.plt === true,
        sessionId: payload.sid as string,
        kind: payload.kind as Actor['kind'],
        permissions: new Set(payload.perms as string[]),
        roles: payload.roles as string[],
        mfaPending: payload.mfp === true,
        mfaAt: payload.mfa as number,
        emergency: payload.emg === true,
        ...(payload.sites ? { siteIds: payload.sites as string[] } : {}),
        ...(payload.rsp === undefined ? {} : { responsibleId: payload.rsp as string }),
        ...(payload.bhd ? { behind: payload.bhd as string[] } : {}),
        ...(payload.dev ? { device: payload.dev as NonNullable<Actor['device']> } : {}),
      };
      if (cache.size >= CACHE_ENTRIES) cache.delete(cache.keys().next().value!);
      cache.set(cacheKey, { actor, expiresAtMs: payload.exp! * 1000 });
      return actor;
    } catch (cause) {
      if (cause instanceof errors.JOSEError) {
        throw new ClavigerError('unauthenticated', 'The actor token is not valid.', { cause });
      }
      throw cause;
    }
  };
}
