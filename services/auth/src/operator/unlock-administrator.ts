import type * as auth from '@claviger/contracts/auth/v1/auth';
import { ClavigerError } from '@claviger/errors';
import { addressPrefix, type Handler } from '@claviger/service-kit';
import { canonicalLogin } from '../passwords/canonical-login.ts';
import { credentialByLogin } from '../passwords/credentials-store.ts';
import { type Attempt, clearFailures, countFailure, readLockStatus } from '../sign-in/lockout.ts';
import { notePlace } from '../sign-in/places.ts';
import { findTenant } from '../sign-in/tenants-store.ts';
import { readPermissions } from '../users/user-permissions.ts';
import { lockUser } from '../users/users-store.ts';
import type { OperatorDeps } from './deps.ts';

/**
 * Unlocks an administrator whom attackers keep locked out. It grants nothing: the administrator signs in with
 * the usual factors.
 */
export function unlockAdministrator(
  deps: OperatorDeps,
): Handler<typeof auth.OperatorService.unlockAdministrator> {
  return async (request, context) => {
    const canonical = canonicalLogin(request.username);
    const place = request.address === '' ? '' : addressPrefix(request.address);
    if (place === undefined) throw ClavigerError.invalid('/address', 'must be an IPv4 or IPv6 address');
    const tenantId = (await findTenant(deps.database, request.tenant))?.id;
    if (tenantId === undefined) throw ClavigerError.notFound();
    context.auditTenantId = tenantId;
    const userId = await deps.database.withTenant(tenantId, async (tx) => {
      const found = await credentialByLogin(tx, canonical);
      if (!found) throw ClavigerError.notFound();
      await lockUser(tx, found.userId);
      const current = await readPermissions(tx, found.userId);
      if (!current?.active || !current.permissions.has('*')) throw notAnAdministrator();
      const { userId } = found;
      context.auditSubject = { type: 'user', id: userId };
      // Limited, because each unlock allows guessers five more attempts.
      const attempt: Attempt = { tenantId, kind: 'unlock', subject: userId, userId, place: '' };
      const { waitSeconds } = await readLockStatus(tx, attempt);
      if (waitSeconds > 0) throw unlockedTooOften(waitSeconds);
      await countFailure(tx, attempt);
      await clearFailures(tx, userId, ['password', 'mfa', 'recovery']);
      if (place !== '') await notePlace(tx, tenantId, userId, place);
      await deps.emitter.audit(tx, context, { request, details: { place } });
      return userId;
    });
    return { userId, place };
  };
}

function notAnAdministrator(): ClavigerError {
  return new ClavigerError('conflict', 'This user is not an active administrator.', {
    code: 'not_an_administrator',
    hint: 'An administrator unlocks other users: claviger users unlock NAME.',
  });
}

function unlockedTooOften(retryAfterSeconds: number): ClavigerError {
  return new ClavigerError(
    'rate_limited',
    'This administrator was unlocked five times within a short time.',
    {
      code: 'unlocked_too_often',
      retryAfterSeconds,
      hint: 'Pass the address from which they sign in: wrong attempts from elsewhere then do not lock it.',
    },
  );
}
