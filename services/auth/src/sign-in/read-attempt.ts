import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { CallContext } from '@claviger/service-kit';
import type { OneTimeCode } from '../mfa/one-time-code.ts';
import { hasRecoveryCode } from '../mfa/recovery-codes.ts';
import { canonicalLogin } from '../passwords/canonical-login.ts';
import { credentialByLogin, type StoredCredential } from '../passwords/credentials-store.ts';
import type { SignInDeps } from './deps.ts';
import { type Attempt, type LockStatus, NIL_ID, readLockStatus } from './lockout.ts';
import { placeOf } from './places.ts';
import { findSignInTenant, type TenantEntry } from './tenants-store.ts';

/** Tenant id for attempts at unknown tenants, so that they cause the same queries and are counted. */
const NO_TENANT = NIL_ID;

export interface SignInAttempt {
  readonly tenant: TenantEntry | undefined;
  readonly stored: StoredCredential | undefined;
  /** The hash to verify; undefined if no password can be correct. */
  readonly phc: string | undefined;
  readonly attempt: Attempt;
  readonly lockStatus: LockStatus;
}

/**
 * Reads the user of a sign-in and the lock status for the place of the call. Unknown tenants and users cause
 * the same queries. A recovery code also opens a locked account; its attempts are counted separately. With a
 * wrong recovery code the password is not checked, so such attempts reveal nothing about the password.
 */
export async function readAttempt(
  deps: SignInDeps,
  request: auth.LoginRequest,
  code: OneTimeCode | undefined,
  context: CallContext,
): Promise<SignInAttempt> {
  const canonical = canonicalLogin(request.username);
  const { tenant, platformId } = await findSignInTenant(deps.database, request.tenant);
  context.auditTenantId = tenant?.id ?? platformId;
  const tenantId = tenant?.id ?? NO_TENANT;
  const recovery = code?.kind === 'recovery' ? code.text : undefined;
  return deps.database.readTenant(tenantId, async (reader) => {
    const stored = await credentialByLogin(reader, canonical);
    const unknownSubject = deps.nameHash(tenant ? canonical : `${request.tenant}\n${canonical}`);
    const attempt: Attempt = {
      tenantId,
      kind: recovery === undefined ? 'password' : 'recovery',
      subject: stored?.userId ?? unknownSubject,
      userId: stored?.userId,
      place: placeOf(context),
    };
    const lockStatus = await readLockStatus(reader, attempt);
    const codeIsRight = recovery === undefined || (await hasRecoveryCode(reader, stored?.userId, recovery));
    return { tenant, stored, phc: codeIsRight ? stored?.phc : undefined, attempt, lockStatus };
  });
}
