import type { auth } from '@claviger/contracts';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import type { AuthDeps } from '../deps.ts';
import { actingNow, requirePerson } from '../users/standing.ts';
import { replacePendingFactor } from './factors-store.ts';
import { owesFactor } from './mfa-errors.ts';
import { otpauthUri } from './totp.ts';

/** Makes a pending factor and shows its secret, this once. It means nothing until a code confirmed it. */
export function setupMfa(deps: AuthDeps): Handler<(typeof auth.AuthServiceService)['setupMfa']> {
  return async (_request, context) => {
    requirePerson(context);
    const { userId, userName, tenantId } = context.actor;
    const secret = await deps.database.withTenant(tenantId, async (tx) => {
      await actingNow(tx, context);
      const made = await replacePendingFactor(deps, tx, tenantId, userId);
      // A session that owes its factor may set up a first one, and learns nothing more of one that is there.
      if (!made && context.actor.mfaPending) throw owesFactor();
      if (!made) {
        throw new ClavigerError('conflict', 'There is a confirmed second factor already.', {
          code: 'mfa_already_enabled',
          hint: 'Switch it off first: DELETE /api/v1/auth/mfa.',
        });
      }
      await deps.emitter.audit(tx, context, { subject: { type: 'user', id: userId } });
      return made;
    });
    return { secret, otpauthUri: otpauthUri(secret, userName) };
  };
}
