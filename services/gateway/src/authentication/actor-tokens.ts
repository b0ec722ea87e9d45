import type * as auth from '@claviger/contracts/auth/v1/auth';
import { BoundedCache } from '../bounded-cache.ts';

/** Auth's answer for a valid credential. */
export interface IntrospectedActor {
  readonly actorToken: string;
  readonly expiresAtMs: number;
  /** In the format of the session's epoch in Redis. */
  readonly epoch: string;
  readonly sessionId: string;
  readonly userId: string;
  readonly tenantId: string;
  readonly mfaPending: boolean;
}

export function introspectedActor(answer: auth.IntrospectResponse): IntrospectedActor {
  const expiresAtMs = Date.parse(answer.actorTokenExpiresAt ?? '');
  return {
    actorToken: answer.actorToken,
    // The expiry is unreadable: use the token once and do not cache it.
    expiresAtMs: Number.isNaN(expiresAtMs) ? 0 : expiresAtMs,
    epoch: String(answer.epoch),
    sessionId: answer.sessionId,
    userId: answer.userId,
    tenantId: answer.tenantId,
    mfaPending: answer.mfaPending,
  };
}

const CACHE_ENTRIES = 20_000;
/** A token that expires sooner is not sent, because the call may be queued first. */
const USABLE_MS = 3_000;
/** When less than this is left, one request fetches the next token; the others use the cached one. */
const RENEW_MS = 15_000;

export type Introspect = () => Promise<IntrospectedActor>;

/** Caches actor tokens for their lifetime, by credential and audiences. */
export interface ActorTokens {
  /**
   * Returns the token for a credential whose session is alive at `liveEpoch`. A cached token must have
   * exactly that epoch. With `liveEpoch` undefined, auth is asked. Throws auth's error.
   */
  tokenFor(
    credential: string,
    audiences: string,
    liveEpoch: string | undefined,
    introspect: Introspect,
  ): Promise<IntrospectedActor>;
  /** Caches an answer of auth. */
  remember(credential: string, audiences: string, fetched: IntrospectedActor): void;
}

export function createActorTokens(): ActorTokens {
  const known = new BoundedCache<IntrospectedActor>(CACHE_ENTRIES);
  const pending = new Map<string, Promise<IntrospectedActor>>();

  const keyOf = (credential: string, audiences: string): string => `${credential} ${audiences}`;
  const keep = (key: string, fetched: IntrospectedActor): void =>
    known.set(key, fetched, fetched.expiresAtMs - USABLE_MS);

  const fetchOnce = (key: string, introspect: Introspect): Promise<IntrospectedActor> => {
    const running = pending.get(key);
    if (running) return running;
    const started = introspect()
      .then((fetched) => {
        keep(key, fetched);
        return fetched;
      })
      .finally(() => pending.delete(key));
    pending.set(key, started);
    return started;
  };

  return {
    remember: (credential, audiences, fetched) => keep(keyOf(credential, audiences), fetched),
    tokenFor: async (credential, audiences, liveEpoch, introspect) => {
      const key = keyOf(credential, audiences);
      // Only auth can confirm the session now: ask it for this request.
      if (liveEpoch === undefined) {
        const fetched = await introspect();
        keep(key, fetched);
        return fetched;
      }
      const remembered = known.get(key);
      if (remembered?.epoch === liveEpoch) {
        if (remembered.expiresAtMs - Date.now() < RENEW_MS && !pending.has(key)) {
          // A refusal shows at the next request: the session's epoch is gone, or the cached token has
          // expired.
          fetchOnce(key, introspect).catch(() => {});
        }
        return remembered;
      }
      // Requests with the same epoch share one introspection; a request with another epoch asks again.
      const fetched = await fetchOnce(key, introspect);
      return fetched.epoch === liveEpoch ? fetched : introspect();
    },
  };
}
