import { auth } from '@claviger/contracts';
import type { Peers } from '@claviger/service-kit';
import { vouched } from './actor-tokens.ts';
import type { IntrospectBearer } from './authenticator.ts';

const TIMEOUT_MS = 5_000;

/** Asks auth what a bearer is worth right now. An outage arrives as `unavailable`, never as a refusal. */
export function createIntrospect(peers: Peers): IntrospectBearer {
  const sessions = peers.client('auth', auth.SessionsServiceService);
  return async (bearer, audiences, call) => {
    const credential =
      bearer.kind === 'access-token'
        ? ({ $case: 'accessToken', value: bearer.token } as const)
        : ({ $case: 'apiToken', value: bearer.token } as const);
    const answer = await sessions.introspect(
      { credential, audiences: [...audiences] },
      { requestId: call.requestId, sourceAddress: call.sourceAddress, timeoutMs: TIMEOUT_MS },
    );
    return vouched(answer);
  };
}
