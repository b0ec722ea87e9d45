import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Handler } from '@claviger/service-kit';
import { signInAnswer } from '../sign-in/sign-in-answer.ts';
import { challenge } from './challenge.ts';
import type { MfaDeps } from './deps.ts';

/** Confirms a pending factor and shows the recovery codes once; otherwise the same as the challenge. */
export function verifyMfa(deps: MfaDeps): Handler<typeof auth.AuthService.verifyMfa> {
  return async (request, context) => {
    const done = await challenge(deps, context, request.code, true, async () => undefined);
    const { token: _, ...tokens } = await signInAnswer(deps, done.session, done.refreshToken);
    return { ...tokens, mfaEnabled: true, recoveryCodes: [...done.recoveryCodes] };
  };
}
