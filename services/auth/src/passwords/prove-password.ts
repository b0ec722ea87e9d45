import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import { noteReason } from '../audit-reason.ts';
import { type Attempt, countFailure, mustWait, readLockStatus } from '../sign-in/lockout.ts';
import { placeOf } from '../sign-in/places.ts';
import { credentialOfUser } from './credentials-store.ts';
import type { PasswordsDeps } from './deps.ts';

/**
 * Checks the actor's current password. Wrong ones count like those at sign-in. Returns the stored hash, which
 * the caller compares in its own transaction, because the password may change in between.
 */
export async function provePassword(
  deps: PasswordsDeps,
  context: CallContext,
  password: string,
): Promise<string> {
  const { userId, tenantId } = context.actor;
  const attempt: Attempt = { tenantId, kind: 'password', subject: userId, userId, place: placeOf(context) };
  const { phc, lockStatus } = await deps.database.readTenant(tenantId, async (reader) => ({
    phc: (await credentialOfUser(reader, userId))?.phc,
    lockStatus: await readLockStatus(reader, attempt),
  }));
  const { waitSeconds, lockedSeconds } = lockStatus;
  if (waitSeconds > 0) throw mustWait(waitSeconds);
  const matches = await deps.passwords.verify(phc, password);
  if (lockedSeconds === 0 && phc !== undefined && matches) return phc;
  await deps.database.withTenant(tenantId, (tx) => countFailure(tx, attempt));
  noteReason(context, lockedSeconds > 0 ? 'account_locked' : 'wrong_password');
  throw wrongPassword();
}

export function wrongPassword(): ClavigerError {
  return new ClavigerError('denied', 'The current password is wrong, or the account is locked.', {
    code: 'current_password_wrong',
    hint: 'Check it, or ask an administrator to reset it.',
  });
}
