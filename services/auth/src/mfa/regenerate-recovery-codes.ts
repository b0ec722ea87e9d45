import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Handler } from '@claviger/service-kit';
import { requireCurrentActor, requirePerson } from '../users/user-permissions.ts';
import type { MfaDeps } from './deps.ts';
import { hasConfirmedFactor } from './factors-store.ts';
import { mfaRefused } from './mfa-errors.ts';
import { replaceRecoveryCodes } from './recovery-codes.ts';

/** Replaces all recovery codes; the new ones are shown once. */
export function regenerateRecoveryCodes(
  deps: MfaDeps,
): Handler<typeof auth.AuthService.regenerateRecoveryCodes> {
  return async (_request, context) => {
    requirePerson(context);
    const { userId, tenantId } = context.actor;
    const recoveryCodes = await deps.database.withTenant(tenantId, async (tx) => {
      await requireCurrentActor(tx, context);
      if (!(await hasConfirmedFactor(tx, userId))) throw mfaRefused({ refused: 'no_factor' });
      await deps.emitter.audit(tx, context, { subject: { type: 'user', id: userId } });
      return replaceRecoveryCodes(tx, tenantId, userId);
    });
    return { recoveryCodes };
  };
}
