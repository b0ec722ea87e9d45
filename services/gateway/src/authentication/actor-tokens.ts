import type * as auth from '@claviger/contracts/auth/v1/auth';
import { BoundedCache } from '../bounded-cache.ts';

/** What auth says of a credential. */
export interface Vouched {
  readonly actorToken: string;
  readonly expiresAtMs: number;
  /** As the liveness in Redis is written. */
  readonly epoch: string;
  readonly sessionId: string;
  readonly userId: string;
  readonly tenantId: string;
  readonly mfaPending: boolean;
}

export function vouched(answer: auth.IntrospectResponse): Vouched {
  const expiresAtMs = Date.parse(answer.actorTokenExpiresAt ?? '');
  return {
    actorToken: answer.actorToken,
    // Unreadable means: use it now, keep it not at all.
    expiresAtMs: Number.isNaN(expiresAtMs) ? 0 : expiresAtMs,
    epoch: String(answer.epoch),
    sessionId: answer.sessionId,
    userId: answer.userId,
    tenantId: answer.tenantId,
    mfaPending: answer.mfaPending,
  };
}

const CACHE_ENTRIES = 20_000;
/** A call may wait in a queue: a token with less life than this is not sent. */
const USABLE_MS = 3_000;
/** From this rest of its life on, one request fetches the next token while the others go on with this one. */
const RENEW_MS = 15_000;

export type Introspect = () => Promise<Vouched>;

/** Actor tokens of the last minute, by credential and audiences. */
export interface ActorTokens {
  /**
   * The token to send for a credential whose session `liveEpoch` has just shown to be alive. A remembered one serves only
   * at exactly that epoch; without a liveness, auth is asked. Throws what auth answers.
   */
  tokenFor(
    credential: string,
    audiences: string,
    liveEpoch: string | undefined,
    introspect: Introspect,
  ): Promise<Vouched>;
  /** Keeps what auth has just answered. */
  remember(credential: string, audiences: string, fetched: Vouched): void;
}

export function createActorTokens(): ActorTokens {
  const known = new BoundedCache<Vouched>(CACHE_ENTRIES);
  const pending = new Map<string, Promise<Vouched>>();

  const keyOf = (credential: string, audiences: string): string => `${credential} ${audiences}`;
  const keep = (key: string, fetched: Vouched): void =>
    known.set(key, fetched, fetched.expiresAtMs - USABLE_MS);

  const fetchOnce = (key: string, introspect: Introspect): Promise<Vouched> => {
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
      // Nothing vouches for the session at this moment but auth itself, asked by this very request.
      if (liveEpoch === undefined) {
        const fetched = await introspect();
        keep(key, fetched);
        return fetched;
      }
      const remembered = known.get(key);
      if (remembered?.epoch === liveEpoch) {
        if (remembered.expiresAtMs - Date.now() < RENEW_MS && !pending.has(key)) {
          // A refusal shows at the next request, which will find the liveness gone or the token used up.
          fetchOnce(key, introspect).catch(() => {});
        }
        return remembered;
      }
      // Requests that saw the same epoch may share one question; whoever saw another asks for itself.
      const fetched = await fetchOnce(key, introspect);
      return fetched.epoch === liveEpoch ? fetched : introspect();
    },
  };
}
