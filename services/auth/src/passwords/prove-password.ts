import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import { noteReason } from '../audit-reason.ts';
import type { AuthDeps } from '../deps.ts';
import { countFailure, lockedNow } from '../sign-in/lockout.ts';
import { credentialOfUser } from './credentials-store.ts';

/**
 * Checks the present password of the actor. Wrong ones count like those at sign-in. Answers the stored hash: the caller
 * compares it in its own transaction, because the password may change meanwhile.
 */
export async function provePassword(deps: AuthDeps, context: CallContext, password: string): Promise<string> {
  const { userId, tenantId } = context.actor;
  const { phc, locked } = await deps.database.readTenant(tenantId, async (reader) => ({
    phc: (await credentialOfUser(reader, userId))?.phc,
    locked: await lockedNow(reader, 'password', userId),
  }));
  const matches = await deps.passwords.verify(phc, password);
  if (!locked && phc !== undefined && matches) return phc;
  if (!locked)
    await deps.database.withTenant(tenantId, (tx) => countFailure(tx, tenantId, 'password', userId));
  noteReason(context, locked ? 'account_locked' : 'wrong_password');
  throw wrongPassword();
}

export function wrongPassword(): ClavigerError {
  return new ClavigerError('denied', 'The current password is wrong, or the account is locked.', {
    code: 'current_password_wrong',
    hint: 'Check it, or ask an administrator for a reset.',
  });
}
