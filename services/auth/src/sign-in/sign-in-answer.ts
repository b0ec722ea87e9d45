import { ACCESS_TOKEN_TTL_SECONDS } from './access-token.ts';
import type { SignInDeps } from './deps.ts';
import type { SessionFacts } from './sessions-store.ts';

/** The tokens of a session under each name that clients use. */
export async function signInAnswer(deps: SignInDeps, session: SessionFacts, refreshToken: string) {
  const accessToken = await deps.accessTokens.sign(session);
  return {
    accessToken,
    refreshToken,
    tokenType: 'Bearer',
    expiresIn: ACCESS_TOKEN_TTL_SECONDS,
    token: accessToken,
  };
}
