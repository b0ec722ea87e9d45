import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Handler } from '@claviger/service-kit';
import { signInAnswer } from '../sign-in/sign-in-answer.ts';
import { readUser } from '../users/users-store.ts';
import { challenge } from './challenge.ts';
import type { MfaDeps } from './deps.ts';

/**
 * Second step of a sign-in. In a session that already has its second factor, it is the step-up for operations
 * that require one.
 */
export function completeMfaChallenge(deps: MfaDeps): Handler<typeof auth.AuthService.completeMfaChallenge> {
  return async (request, context) => {
    const done = await challenge(deps, context, request.code, false, (tx) =>
      readUser(tx, context.actor.userId),
    );
    return {
      ...(await signInAnswer(deps, done.session, done.refreshToken)),
      user: done.also,
      mfaRequired: false,
    };
  };
}
