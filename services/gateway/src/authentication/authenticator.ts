import { createHash } from 'node:crypto';
import { ClavigerError } from '@claviger/errors';
import type { Anomaly, ReportAnomaly } from '@claviger/service-kit';
import { BoundedCache } from '../bounded-cache.ts';
import { type Gate, type Limit, type LimitState, REVOKED } from '../limits/gate.ts';
import { enforce } from '../limits/limit-headers.ts';
import type { LimitKeys } from '../limits/limit-keys.ts';
import type { Tier, Tiers } from '../limits/tiers.ts';
import type { VerifyAccessToken } from './access-token.ts';
import type { ActorTokens, IntrospectedActor } from './actor-tokens.ts';
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

/** Introspects a credential at auth. */
export type IntrospectBearer = (
  bearer: Bearer,
  audiences: readonly string[],
  call: EdgeCall,
) => Promise<IntrospectedActor>;

/** Sent with each call to a service. */
export interface EdgeCall {
  readonly requestId: string;
  readonly sourceAddress: string;
}

/** Authentication requirements of an operation. */
export interface AuthRequirements {
  readonly audiences: readonly string[];
  /** The sorted audiences, joined. */
  readonly audienceKey: string;
  /** Introspect the token for each call, even if it is cached. */
  readonly fresh: boolean;
  readonly tier: Tier;
  /** Further limits of the person. */
  readonly budgets: readonly Tier[];
}

export function authRequirements(
  audiences: readonly string[],
  fresh: boolean,
  tier: Tier,
  budgets: readonly Tier[] = [],
): AuthRequirements {
  const sorted = [...new Set(audiences)].sort();
  return { audiences: sorted, audienceKey: sorted.join(), fresh, tier, budgets };
}

/** `limit` is set even when the limit refuses the request before authentication. */
export type Authenticated =
  | { readonly actor: IntrospectedActor; readonly limit: LimitState | undefined }
  | { readonly actor: undefined; readonly limit: LimitState };

export interface Authenticator {
  /**
   * Counts the request against the limits of its user, token or device, then authenticates it. Throws
   * `unauthenticated` for an invalid credential and `unavailable` when auth cannot be reached.
   */
  authenticate(bearer: Bearer, required: AuthRequirements, call: EdgeCall): Promise<Authenticated>;
  /**
   * Counts an unreadable credential against the address. Throws `unauthenticated`, or returns the exceeded
   * limit.
   */
  refuse(call: EdgeCall): Promise<Authenticated>;
  /**
   * Returns the actor of a public operation; undefined for an invalid credential, which counts against the
   * address.
   */
  identify(
    bearer: Bearer,
    required: AuthRequirements,
    call: EdgeCall,
  ): Promise<IntrospectedActor | undefined>;
  /**
   * Checks a session again after a call has waited; throws unless it is still valid for the same actor. Auth
   * is asked when Redis cannot confirm the session. Counts against no limit.
   */
  assertSessionStillValid(
    bearer: Bearer,
    required: AuthRequirements,
    call: EdgeCall,
    actor: IntrospectedActor,
  ): Promise<void>;
}

interface Session {
  /**
   * Cache key of its actor tokens: the session id of an access token, because a session has many, otherwise
   * the digest of the token. Another token of the same device has its own entry.
   */
  readonly credential: string;
  readonly sessionId: string;
  /** The device id of an agent. */
  readonly userId: string;
  readonly tenantId: string;
  /**
   * The token was refused last time. It may become valid again, e.g. when its tenant is reinstated. Until
   * then it uses only its own limit, so that a stolen token cannot block an agent with a new one.
   */
  readonly ended?: boolean;
}

export function createAuthenticator(options: {
  readonly verifyAccessToken: VerifyAccessToken;
  readonly actorTokens: ActorTokens;
  readonly gate: Gate;
  readonly keys: LimitKeys;
  readonly tiers: Tiers;
  /** Called when a person exhausts a disclosure budget. */
  readonly reportAnomaly: ReportAnomaly;
  readonly introspect: IntrospectBearer;
  /** Number of gateways that share the load. */
  readonly replicas: number;
}): Authenticator {
  const { actorTokens, gate, keys, introspect, tiers, reportAnomaly } = options;
  const failures = createTokenFailures(options);
  /** Sessions of API and agent tokens by SHA-256; these tokens do not contain their session. */
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
  const limitsOf = (bearer: Bearer, session: Session, { tier, budgets }: AuthRequirements): Limit[] => {
    const { userId, tenantId } = session;
    if (session.ended) return [{ key: keys.token(tier.name, session.sessionId), tier }];
    return [
      { key: ownLimit(bearer, session, tier.name), tier },
      { key: keys.tenant(tenantId), tier: tiers.tenant },
      // Per person: several tokens share one budget.
      ...budgets.map((budget) => ({ key: keys.user(budget.name, tenantId, userId), tier: budget })),
    ];
  };

  /** An exhausted disclosure budget may show a stolen session. */
  const reportReachedBudget = (limit: LimitState, { budgets }: AuthRequirements, session: Session): void => {
    if (budgets.includes(limit.tier)) reportAnomaly(budgetReached(limit.tier, session));
  };

  const actorOf = async (
    bearer: Bearer,
    session: Session,
    live: string | undefined,
    { fresh, audiences, audienceKey }: AuthRequirements,
    call: EdgeCall,
  ): Promise<IntrospectedActor> => {
    if (live === REVOKED) throw invalidToken();
    const ask = async (): Promise<IntrospectedActor> => {
      const answer = await introspect(bearer, audiences, call);
      if (answer.sessionId !== session.sessionId) throw invalidToken();
      return answer;
    };
    const actor = fresh
      ? await ask()
      : await actorTokens.tokenFor(session.credential, audienceKey, live, ask);
    // A cached actor must match the claims of this token.
    if (actor.userId !== session.userId || actor.tenantId !== session.tenantId) throw invalidToken();
    return actor;
  };

  const inFlightIntrospections = new Map<string, Promise<Guarded<IntrospectedActor>>>();
  /** Shares one introspection among concurrent requests with the same unknown token. */
  const introspectOnce = (bearer: Bearer, digest: string, required: AuthRequirements, call: EdgeCall) => {
    const key = `${digest} ${required.audienceKey}`;
    const running = inFlightIntrospections.get(key);
    if (running) return running;
    const started = failures
      .guarded(call.sourceAddress, () => introspect(bearer, required.audiences, call))
      .finally(() => inFlightIntrospections.delete(key));
    inFlightIntrospections.set(key, started);
    return started;
  };

  /**
   * Authenticates a token that is not cached. Only invalid tokens count against the address: a thousand
   * agents behind one address may all reconnect after a restart of the gateway.
   */
  const authenticateUnknownToken = async (
    bearer: Bearer,
    digest: string,
    required: AuthRequirements,
    call: EdgeCall,
  ): Promise<Authenticated> => {
    // An operation marked `fresh` shares no introspection with other calls.
    const asked = await (required.fresh
      ? failures.guarded(call.sourceAddress, () => introspect(bearer, required.audiences, call))
      : introspectOnce(bearer, digest, required, call));
    if ('refused' in asked) return { actor: undefined, limit: asked.refused };
    const actor = asked.answer;
    actorTokens.remember(digest, required.audienceKey, actor);
    const { sessionId, userId, tenantId } = actor;
    const session = { credential: digest, sessionId, userId, tenantId };
    opaqueTokens.set(digest, session, Date.now() + OPAQUE_TOKEN_MEMORY_MS);
    const { limit } = await gate.check(limitsOf(bearer, session, required), undefined);
    if (!limit || limit.allowed) return { actor, limit };
    reportReachedBudget(limit, required, session);
    return { actor: undefined, limit };
  };

  /** Counts a failure. Throws the error, or returns the exceeded limit. */
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
    authenticate: async (bearer, required, call) => {
      let session: Session | undefined;
      if (bearer.kind === 'access-token') {
        const claims = await options.verifyAccessToken(bearer.token);
        if (!claims) return failed('garbage', call);
        session = { credential: claims.sessionId, ...claims };
      } else {
        const digest = createHash('sha256').update(bearer.token).digest('base64');
        session = opaqueTokens.get(digest);
        if (!session) return authenticateUnknownToken(bearer, digest, required, call);
        opaqueTokens.set(digest, session, Date.now() + OPAQUE_TOKEN_MEMORY_MS);
      }
      const { limit, live } = await gate.check(limitsOf(bearer, session, required), session.sessionId);
      try {
        if (live === REVOKED) throw invalidToken();
        if (limit && !limit.allowed) {
          reportReachedBudget(limit, required, session);
          return { actor: undefined, limit };
        }
        const actor = await actorOf(bearer, session, live, required, call);
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
    assertSessionStillValid: async (bearer, required, call, actor) => {
      const { live } = await gate.check([], actor.sessionId);
      if (live === REVOKED) throw invalidToken();
      if (live === actor.epoch) return;
      const now = await introspect(bearer, required.audiences, call);
      if (now.sessionId !== actor.sessionId || now.userId !== actor.userId || now.tenantId !== actor.tenantId)
        throw invalidToken();
    },
    refuse: (call) => failed('garbage', call),
    identify: async (bearer, required, call) => {
      // Public operations do not accept agents.
      if (bearer.kind === 'agent-token') return undefined;
      const ask = () => introspect(bearer, required.audiences, call);
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
  return new ClavigerError('unauthenticated', 'This operation requires a bearer token.', {
    code: 'token_missing',
    hint: 'Send "Authorization: Bearer TOKEN"; POST /api/v1/auth/login returns a token.',
  });
}
