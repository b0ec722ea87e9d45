import type * as auth from '@claviger/contracts/auth/v1/auth';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { requirePerson } from '../users/user-permissions.ts';
import type { MfaDeps } from './deps.ts';
import { makePendingFactor } from './make-pending-factor.ts';

/** Creates a pending factor for a session that signed in by password recently. Its secret is shown once. */
export function setupMfa(deps: MfaDeps): Handler<typeof auth.AuthService.setupMfa> {
  return async (_request, context) => {
    requirePerson(context);
    return makePendingFactor(deps, context, (signedInJustNow) => {
      if (signedInJustNow) return;
      throw new ClavigerError(
        'denied',
        'Adding a second factor requires a password check within the last five minutes.',
        {
          code: 'password_required',
          hint: 'Send the password with POST /api/v1/auth/mfa/setup, or sign in again.',
        },
      );
    });
  };
}
