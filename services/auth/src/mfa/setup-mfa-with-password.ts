import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Handler } from '@claviger/service-kit';
import { credentialOfUser } from '../passwords/credentials-store.ts';
import { provePassword, wrongPassword } from '../passwords/prove-password.ts';
import { requirePerson } from '../users/user-permissions.ts';
import type { MfaDeps } from './deps.ts';
import { makePendingFactor } from './make-pending-factor.ts';

/** Like setupMfa, for a session of any age: the request contains the password. */
export function setupMfaWithPassword(deps: MfaDeps): Handler<typeof auth.AuthService.setupMfaWithPassword> {
  return async (request, context) => {
    requirePerson(context);
    const { userId } = context.actor;
    const phc = await provePassword(deps, context, request.password);
    return makePendingFactor(deps, context, async (_signedInJustNow, tx) => {
      if ((await credentialOfUser(tx, userId))?.phc !== phc) throw wrongPassword();
    });
  };
}
