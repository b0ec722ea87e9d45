import * as auth from '@claviger/contracts/auth/v1/auth';
import type { Peers } from '@claviger/service-kit';
import { introspectedActor } from './actor-tokens.ts';
import type { IntrospectBearer } from './authenticator.ts';
import type { Bearer } from './bearer.ts';

const TIMEOUT_MS = 5_000;

/** Introspects a token at auth. An outage is `unavailable`, never a refusal. */
export function createIntrospect(peers: Peers, timeoutMs: number = TIMEOUT_MS): IntrospectBearer {
  const sessions = peers.client('auth', auth.SessionsService);
  return async (bearer, audiences, call) => {
    const answer = await sessions.introspect(
      { credential: credentialOf(bearer), audiences: [...audiences] },
      { requestId: call.requestId, sourceAddress: call.sourceAddress, timeoutMs },
    );
    return introspectedActor(answer);
  };
}

function credentialOf({ kind, token }: Bearer): auth.IntrospectRequest['credential'] {
  switch (kind) {
    case 'access-token':
      return { $case: 'accessToken', value: token };
    case 'api-token':
      return { $case: 'apiToken', value: token };
    case 'agent-token':
      return { $case: 'agentToken', value: token };
  }
}
