import type { ServerResponse } from 'node:http';
import type { MethodInfo } from '@claviger/contracts';
import type { IntrospectedActor } from '../authentication/actor-tokens.ts';
import {
  type Authenticator,
  type AuthRequirements,
  authRequirements,
  type EdgeCall,
  missingToken,
} from '../authentication/authenticator.ts';
import { bearerOf } from '../authentication/bearer.ts';
import { invalidToken, isInvalid } from '../authentication/token-failures.ts';
import type { EdgeRequest } from '../edge/edge-request.ts';
import type { Gate, LimitState } from '../limits/gate.ts';
import { enforce, limitHeaders } from '../limits/limit-headers.ts';
import type { LimitKeys } from '../limits/limit-keys.ts';
import { budgetsOf, type Tier, type Tiers, tierOf } from '../limits/tiers.ts';

export interface AdmitDeps {
  readonly authenticator: Authenticator;
  readonly gate: Gate;
  readonly keys: LimitKeys;
  readonly tiers: Tiers;
}

/**
 * Admits a request or throws: authenticates it, checks its session and its limits. Returns undefined for
 * anonymous calls to public operations.
 */
export type Admit = (
  request: EdgeRequest,
  response: ServerResponse,
  call: EdgeCall,
) => Promise<IntrospectedActor | undefined>;

/** Admits by the policy of the method in the contract, never by the path. */
export function admitFor(method: MethodInfo, deps: AdmitDeps): Admit {
  if (method.policy!.public) return admitAnonymous(audiencesOf(method), tierOf(method, deps.tiers), deps);
  return admitBearer(requirementsOf(method, deps), deps);
}

/** Throws unless the actor of a call that has waited would still be admitted. */
export type AdmitAgain = (request: EdgeRequest, call: EdgeCall, actor: IntrospectedActor) => Promise<void>;

export function admitAgainFor(method: MethodInfo, deps: AdmitDeps): AdmitAgain {
  const required = requirementsOf(method, deps);
  return async (request, call, actor) => {
    const bearer = bearerOf(request.headers.authorization);
    if (bearer === undefined || bearer === 'malformed') throw invalidToken();
    await deps.authenticator.assertSessionStillValid(bearer, required, call, actor);
  };
}

const audiencesOf = ({ owner, policy }: MethodInfo): string[] => [owner, ...policy!.forwardsTo];

function requirementsOf(method: MethodInfo, { tiers }: AdmitDeps): AuthRequirements {
  return authRequirements(
    audiencesOf(method),
    method.policy!.fresh,
    tierOf(method, tiers),
    budgetsOf(method, tiers),
  );
}

/** For operations that require a valid token. */
export function admitBearer(required: AuthRequirements, deps: AdmitDeps): Admit {
  return async (request, response, call) => {
    const bearer = bearerOf(request.headers.authorization);
    if (bearer === undefined) throw missingToken();
    const { actor, limit } = await (bearer === 'malformed'
      ? deps.authenticator.refuse(call)
      : deps.authenticator.authenticate(bearer, required, call));
    count(limit, response);
    return actor;
  };
}

/** For public operations: counts the address. Passes a valid token on and ignores an invalid one. */
function admitAnonymous(audiences: readonly string[], tier: Tier, deps: AdmitDeps): Admit {
  const required = authRequirements(audiences, true, tier);
  return async (request, response, call) => {
    const { limit } = await deps.gate.check(
      [
        { key: deps.keys.address(tier.name, call.sourceAddress), tier },
        { key: deps.keys.anonymous, tier: deps.tiers.anonymous },
      ],
      undefined,
    );
    count(limit, response);
    const bearer = bearerOf(request.headers.authorization);
    if (bearer === undefined) return undefined;
    if (bearer === 'malformed') {
      await deps.authenticator.refuse(call).then(({ limit: failures }) => enforce(failures), unlessInvalid);
      return undefined;
    }
    return deps.authenticator.identify(bearer, required, call);
  };
}

/** Public operations ignore unreadable credentials. */
function unlessInvalid(error: unknown): void {
  if (!isInvalid(error)) throw error;
}

/** Sets the limit headers; throws `rate_limited` when the limit refuses. */
export function count(limit: LimitState | undefined, response: ServerResponse): void {
  if (!limit) return;
  for (const [name, value] of Object.entries(limitHeaders(limit))) response.setHeader(name, value);
  enforce(limit);
}
