import type { AccountKey } from '@claviger/connectors';
import { sql } from 'kysely';
import { accountAt } from '../accounts/account-at.ts';
import {
  isAccepted,
  recordRefusal,
  returnProbe,
  type StoredSecret,
  takeProbe,
} from '../accounts/probe-budget.ts';
import { storedSecret, type Target } from '../targets/load-target.ts';
import { rotatesAsAdmin } from './as-admin.ts';
import type { RotationDeps } from './deps.ts';
import type { Lease } from './lease.ts';

/** The login with which a rotation changes a password: the account's own, or the resource's admin entry. */
export interface ChangingLogin {
  readonly account: AccountKey;
  readonly secret: StoredSecret;
  readonly isAdmin: boolean;
}

export function changingLogin(target: Target, username: string, current: StoredSecret): ChangingLogin {
  const isAdmin = rotatesAsAdmin(target) && target.admin !== undefined;
  return {
    account: accountAt(target, isAdmin ? target.admin!.username : username),
    secret: isAdmin ? storedSecret(target.admin!) : current,
    isAdmin,
  };
}

/**
 * Counts the login before it is made, unless the target accepted this secret last: then it cannot fail
 * repeatedly, and rotations by one admin entry do not wait for each other. Returns whether it was counted, or
 * the earliest time.
 */
export async function countLogin(
  deps: RotationDeps,
  tenantId: string,
  { account, secret }: ChangingLogin,
): Promise<boolean | Date> {
  if (await isAccepted(deps, tenantId, account, secret)) return false;
  return (await takeProbe(deps, tenantId, account)) ?? true;
}

/**
 * Records the outcome of the login. Repeatable after a crash: the rotation's row records whether the login is
 * still counted.
 */
export async function settleLogin(
  deps: RotationDeps,
  { tenantId, rotationId }: Lease,
  { account, secret, isAdmin }: ChangingLogin,
  outcome: 'accepted' | 'refused' | 'unknown',
): Promise<void> {
  const counted = await deps.database.withTenant(tenantId, (tx) =>
    tx
      .updateTable('rotations')
      .set({ login_counted: false })
      .where('id', '=', rotationId)
      .where('login_counted', '=', sql<boolean>`true`)
      .returning('id')
      .executeTakeFirst(),
  );
  if (outcome === 'refused') {
    if (!counted) await takeProbe(deps, tenantId, account);
    await recordRefusal(deps, tenantId, account);
  } else if (counted) {
    await returnProbe(deps, tenantId, account, outcome === 'accepted' && isAdmin ? secret : undefined);
  }
}
