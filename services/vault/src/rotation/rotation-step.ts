import type { VerifyResult } from '@claviger/connectors';
import { ClavigerError, isClavigerError } from '@claviger/errors';
import { accountAt } from '../accounts/account-at.ts';
import { recordRefusal, returnProbe, takeProbe } from '../accounts/probe-budget.ts';
import { ENCRYPTED_COLUMNS, type EncryptedVersion } from '../encryption/secrets.ts';
import { connectorOf } from '../targets/connector-of.ts';
import {
  connectorContext,
  type EncryptedAccount,
  encryptedAccount,
  storedSecret,
  type Target,
} from '../targets/load-target.ts';
import { asAdmin } from './as-admin.ts';
import { type ChangingLogin, changingLogin } from './changing-login.ts';
import type { RotationDeps } from './deps.ts';
import { isDisclosure } from './disclosure-triggers.ts';
import type { Lease } from './lease.ts';
import { requireRotatable } from './request-rotation.ts';
import type { RotationRow } from './rotation-store.ts';
import { postpone } from './transitions.ts';

/** One step of a rotation by the worker that holds its lease. */
export interface Step {
  readonly deps: RotationDeps;
  readonly lease: Lease;
  readonly rotation: RotationRow;
  readonly signal: AbortSignal;
  /** Age of the change when the lease was taken, by the database's clock. */
  readonly appliedSecondsAgo: number;
}

/** What a step needs, read before anything is changed. */
export interface Prepared {
  readonly target: Target;
  readonly username: string;
  readonly pendingVersion: EncryptedVersion;
  readonly current: EncryptedAccount;
  /** Whether the target has ever accepted the current secret. */
  readonly everVerified: boolean;
  readonly login: ChangingLogin;
}

/** The budget of logins is spent until `nextAt`. */
export interface Spent {
  readonly outcome: 'spent';
  readonly nextAt: Date;
}

/** Reads what the step needs. Undefined if it cannot continue now: the rotation then waits. */
export async function prepare(
  step: Step,
  stateWhileWaiting: 'pending' | 'ambiguous',
): Promise<Prepared | undefined> {
  const { deps, lease, rotation } = step;
  try {
    deps.secrets.requireOpen();
    return await deps.database.readTenant(lease.tenantId, async (reader) => {
      const entry = await reader
        .selectFrom('entries')
        .select(['id', 'type', 'asset_id', 'username', 'account_id', 'unproven', 'last_verified_at'])
        .where('id', '=', rotation.entry_id)
        .executeTakeFirstOrThrow();
      const found = await requireRotatable(reader, entry);
      const target = resetsByAdmin(rotation) ? (asAdmin(found) ?? found) : found;
      const current = await encryptedAccount(reader, entry.id);
      const pendingVersion = await reader
        .selectFrom('entry_versions')
        .select(ENCRYPTED_COLUMNS)
        .where('entry_id', '=', entry.id)
        .where('version', '=', rotation.version)
        .executeTakeFirstOrThrow();
      if (!current) throw ClavigerError.notFound();
      return {
        target,
        username: entry.username,
        pendingVersion,
        current,
        everVerified: entry.last_verified_at !== null,
        login: changingLogin(target, entry.username, storedSecret(current)),
      };
    });
  } catch (error) {
    if (!isClavigerError(error)) throw error;
    await postpone(deps, lease, stateWhileWaiting, { text: error.message, hint: error.hint ?? '' });
    return undefined;
  }
}

/** Whether the account's own secret is known to be unusable for the change. */
function resetsByAdmin(rotation: RotationRow): boolean {
  return rotation.secret_lost || (isDisclosure(rotation.trigger) && rotation.first_login === 'refused');
}

/** Whether the admin entry sets another secret if the target accepts none of the stored ones. */
export function mayReset({ rotation }: Pick<Step, 'rotation'>, { target }: Pick<Prepared, 'target'>) {
  return (rotation.secret_lost || isDisclosure(rotation.trigger)) && asAdmin(target) !== undefined;
}

/** One login, counted before it is made. */
export async function logIn(
  { deps, lease, signal }: Step,
  { target, username }: Prepared,
  version: EncryptedVersion,
): Promise<VerifyResult | Spent> {
  const account = accountAt(target, username);
  const secret = await deps.secrets.decrypt(version);
  const nextAt = await takeProbe(deps, lease.tenantId, account);
  if (nextAt) return { outcome: 'spent', nextAt };
  const ctx = connectorContext(deps, target, deps.config.rotation.verifyTimeoutMs, signal);
  const verdict = await connectorOf(deps, lease.tenantId, target)
    .verify(target.settings, { username }, secret, ctx)
    .catch(unknownWhereBusy);
  if (verdict.outcome === 'refused') await recordRefusal(deps, lease.tenantId, account);
  else await returnProbe(deps, lease.tenantId, account);
  return verdict;
}

/** No worker was free: nothing was sent to the target. */
function unknownWhereBusy(error: unknown): VerifyResult {
  if (!isClavigerError(error)) throw error;
  return { outcome: 'unknown', kind: 'unreachable', reason: error.message };
}
