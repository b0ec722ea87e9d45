import { createHash } from 'node:crypto';
import { ClavigerError } from '@claviger/errors';
import type { Anomaly, ReportAnomaly } from '@claviger/service-kit';
import { BoundedCache } from '../bounded-cache.ts';
import { type Gate, type Limit, type LimitState, REVOKED } from '../limits/gate.ts';
import { enforce } from '../limits/limit-headers.ts';
import type { LimitKeys } from '../limits/limit-keys.ts';
import type { Tier, Tiers } from '../limits/tiers.ts';
import type { VerifyAccessToken } from './access-token.ts';
import type { ActorTokens, Vouched } from './actor-tokens.ts';
import type { Bearer } from './bearer.ts';
import {
  createTokenFailures,
  type Failure,
  type Guarded,
  invalidToken,
  isInvalid,
} from './token-failures.ts';

const OPAQUE_TOKEN_MEMORY_MS = 60_000;
const OPAQUE_TOKEN_ENTRIES = 20_000;

/** Asks auth about a credential. */
export type IntrospectBearer = (
  bearer: Bearer,
  audiences: readonly string[],
  call: EdgeCall,
) => Promise<Vouched>;

/** What travels from the edge with each call. */
export interface EdgeCall {
  readonly requestId: string;
  readonly sourceAddress: string;
}

/** How an operation wants its callers authenticated. */
export interface Demand {
  readonly audiences: readonly string[];
  /** The audiences as one text, sorted. */
  readonly audienceKey: string;
  /** Auth is asked for each call; nothing remembered serves. */
  readonly fresh: boolean;
  readonly tier: Tier;
  /** Limits of the person beside the tier. */
  readonly budgets: readonly Tier[];
}

export function demand(
  audiences: readonly string[],
  fresh: boolean,
  tier: Tier,
  budgets: readonly Tier[] = [],
): Demand {
  const sorted = [...new Set(audiences)].sort();
  return { audiences: sorted, audienceKey: sorted.join(), fresh, tier, budgets };
}

/** The limit's state is there also when the request is refused by it, before anything else is asked. */
export type Authenticated =
  | { readonly actor: Vouched; readonly limit: LimitState | undefined }
  | { readonly actor: undefined; readonly limit: LimitState };

export interface Authenticator {
  /**
   * Who a bearer is, after counting the request against the limit of the user, token or device. Throws `unauthenticated` for a credential that
   * is not valid (any more), and `unavailable` when auth cannot be asked.
   */
  authenticate(bearer: Bearer, demand: Demand, call: EdgeCall): Promise<Authenticated>;
  /** Counts a credential that nobody can read against the address. Throws `unauthenticated`, or answers that there were too many. */
  refuse(call: EdgeCall): Promise<Authenticated>;
  /** Who the bearer of a public operation is; undefined when it is of no use, which counts against the address. */
  identify(bearer: Bearer, demand: Demand, call: EdgeCall): Promise<Vouched | undefined>;
  /**
   * For what happened while a call waited: throws unless the actor is still the one that was let in. Auth is asked where the
   * shared state does not say so; it is out of reach of nobody who took the token away. Counts against no limit.
   */
  stillStands(bearer: Bearer, demand: Demand, call: EdgeCall, actor: Vouched): Promise<void>;
}

interface Session {
  /**
   * Under which its actor tokens are remembered: the session of an access token, which there are many of for one session,
   * else the digest of the very token. What one token has shown says nothing of another one of the same device.
   */
  readonly credential: string;
  readonly sessionId: string;
  /** Of an agent the id of its device. */
  readonly userId: string;
  readonly tenantId: string;
  /**
   * The token was refused the last time. It may live again, as when a tenant is reinstated, but until then it uses up nothing that
   * is not its own: whoever stole it must not keep out the agent that has a new one.
   */
  readonly ended?: boolean;
}

export function createAuthenticator(options: {
  readonly verifyAccessToken: VerifyAccessToken;
  readonly actorTokens: ActorTokens;
  readonly gate: Gate;
  readonly keys: LimitKeys;
  readonly tiers: Tiers;
  /** Hears when a person has reached a budget. */
  readonly reportAnomaly: ReportAnomaly;
  readonly introspect: IntrospectBearer;
  /** How many gateways share the load. */
  readonly replicas: number;
}): Authenticator {
  const { actorTokens, gate, keys, introspect, tiers, reportAnomaly } = options;
  const failures = createTokenFailures(options);
  /** Sessions of API and agent tokens by the token's SHA-256: they cannot be read from the token itself. */
  const opaqueTokens = new BoundedCache<Session>(OPAQUE_TOKEN_ENTRIES);
  const ownLimit = ({ kind }: Bearer, { sessionId, userId, tenantId }: Session, tier: string): string => {
    switch (kind) {
      case 'access-token':
        return keys.user(tier, tenantId, userId);
      case 'api-token':
        return keys.token(tier, sessionId);
      case 'agent-token':
        return keys.device(tier, tenantId, userId);
    }
  };
  const limitsOf = (bearer: Bearer, session: Session, { tier, budgets }: Demand): Limit[] => {
    const { userId, tenantId } = session;
    if (session.ended) return [{ key: keys.token(tier.name, session.sessionId), tier }];
    return [
      { key: ownLimit(bearer, session, tier.name), tier },
      { key: keys.tenant(tenantId), tier: tiers.tenant },
      // By person: more tokens give no more secrets.
      ...budgets.map((budget) => ({ key: keys.user(budget.name, tenantId, userId), tier: budget })),
    ];
  };

  /** Nobody needs so many secrets at once: whoever asks for more may be a thief with a session. */
  const noteBudget = (limit: LimitState, { budgets }: Demand, session: Session): void => {
    if (budgets.includes(limit.tier)) reportAnomaly(budgetReached(limit.tier, session));
  };

  const vouch = async (
    bearer: Bearer,
    session: Session,
    live: string | undefined,
    { fresh, audiences, audienceKey }: Demand,
    call: EdgeCall,
  ): Promise<Vouched> => {
    if (live === REVOKED) throw invalidToken();
    const ask = async (): Promise<Vouched> => {
      const answer = await introspect(bearer, audiences, call);
      if (answer.sessionId !== session.sessionId) throw invalidToken();
      return answer;
    };
    const actor = fresh
      ? await ask()
      : await actorTokens.tokenFor(session.credential, audienceKey, live, ask);
    // A remembered actor serves only a token that names the same person.
    if (actor.userId !== session.userId || actor.tenantId !== session.tenantId) throw invalidToken();
    return actor;
  };

  const meetings = new Map<string, Promise<Guarded<Vouched>>>();
  /** One question for all requests that bring the same unknown token at once. */
  const askOnce = (bearer: Bearer, digest: string, wanted: Demand, call: EdgeCall) => {
    const key = `${digest} ${wanted.audienceKey}`;
    const running = meetings.get(key);
    if (running) return running;
    const started = failures
      .guarded(call.sourceAddress, () => introspect(bearer, wanted.audiences, call))
      .finally(() => meetings.delete(key));
    meetings.set(key, started);
    return started;
  };

  /**
   * A token not seen within the last minute. Only what turns out to be a guess counts against the address: behind one may
   * stand a thousand agents, which all come at once when a gateway has been started anew.
   */
  const meet = async (
    bearer: Bearer,
    digest: string,
    wanted: Demand,
    call: EdgeCall,
  ): Promise<Authenticated> => {
    // What is wanted fresh is asked for this very call.
    const asked = await (wanted.fresh
      ? failures.guarded(call.sourceAddress, () => introspect(bearer, wanted.audiences, call))
      : askOnce(bearer, digest, wanted, call));
    if ('refused' in asked) return { actor: undefined, limit: asked.refused };
    const actor = asked.answer;
    actorTokens.remember(digest, wanted.audienceKey, actor);
    const { sessionId, userId, tenantId } = actor;
    const session = { credential: digest, sessionId, userId, tenantId };
    opaqueTokens.set(digest, session, Date.now() + OPAQUE_TOKEN_MEMORY_MS);
    const { limit } = await gate.check(limitsOf(bearer, session, wanted), undefined);
    if (!limit || limit.allowed) return { actor, limit };
    noteBudget(limit, wanted, session);
    return { actor: undefined, limit };
  };

  /** Throws that the token is not valid, or answers that there were too many of that. */
  const failed = async (
    failure: Failure,
    { sourceAddress }: EdgeCall,
    error: unknown = invalidToken(),
  ): Promise<Authenticated> => {
    const limit = await failures.count(failure, sourceAddress);
    if (limit) return { actor: undefined, limit };
    throw error;
  };

  return {
    authenticate: async (bearer, wanted, call) => {
      let session: Session | undefined;
      if (bearer.kind === 'access-token') {
        const claims = await options.verifyAccessToken(bearer.token);
        if (!claims) return failed('garbage', call);
        session = { credential: claims.sessionId, ...claims };
      } else {
        const digest = createHash('sha256').update(bearer.token).digest('base64');
        session = opaqueTokens.get(digest);
        if (!session) return meet(bearer, digest, wanted, call);
        opaqueTokens.set(digest, session, Date.now() + OPAQUE_TOKEN_MEMORY_MS);
      }
      const { limit, live } = await gate.check(limitsOf(bearer, session, wanted), session.sessionId);
      try {
        if (live === REVOKED) throw invalidToken();
        if (limit && !limit.allowed) {
          noteBudget(limit, wanted, session);
          return { actor: undefined, limit };
        }
        const actor = await vouch(bearer, session, live, wanted, call);
        if (session.ended)
          opaqueTokens.set(
            session.credential,
            { ...session, ended: false },
            Date.now() + OPAQUE_TOKEN_MEMORY_MS,
          );
        return { actor, limit };
      } catch (error) {
        if (!isInvalid(error)) throw error;
        if (bearer.kind !== 'access-token')
          opaqueTokens.set(
            session.credential,
            { ...session, ended: true },
            Date.now() + OPAQUE_TOKEN_MEMORY_MS,
          );
        return failed('known', call, error);
      }
    },
    stillStands: async (bearer, wanted, call, actor) => {
      const { live } = await gate.check([], actor.sessionId);
      if (live === REVOKED) throw invalidToken();
      if (live === actor.epoch) return;
      const now = await introspect(bearer, wanted.audiences, call);
      if (now.sessionId !== actor.sessionId || now.userId !== actor.userId || now.tenantId !== actor.tenantId)
        throw invalidToken();
    },
    refuse: (call) => failed('garbage', call),
    identify: async (bearer, wanted, call) => {
      // No public operation is one of agents.
      if (bearer.kind === 'agent-token') return undefined;
      const ask = () => introspect(bearer, wanted.audiences, call);
      try {
        if (bearer.kind === 'access-token') {
          if (await options.verifyAccessToken(bearer.token)) return await ask();
          enforce(await failures.count('garbage', call.sourceAddress));
          return undefined;
        }
        const asked = await failures.guarded(call.sourceAddress, ask);
        if ('answer' in asked) return asked.answer;
        enforce(asked.refused);
        return undefined;
      } catch (error) {
        if (!isInvalid(error)) throw error;
        if (bearer.kind === 'access-token') enforce(await failures.count('known', call.sourceAddress));
        return undefined;
      }
    },
  };
}

function budgetReached(tier: Tier, { tenantId, userId, sessionId }: Session): Anomaly {
  return {
    alert: 'disclosure_budget_reached',
    subject: { type: 'user', id: userId },
    tenantId,
    details: { limit: tier.requests, windowSeconds: tier.windowSeconds, sessionId },
  };
}

export function missingToken(): ClavigerError {
  return new ClavigerError('unauthenticated', 'This operation needs a bearer token.', {
    code: 'token_missing',
    hint: 'Send it as "Authorization: Bearer TOKEN"; POST /api/v1/auth/login gives one.',
  });
}
