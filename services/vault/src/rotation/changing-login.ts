import type { AccountKey } from '@claviger/connectors';
import { sql } from 'kysely';
import { accountAt } from '../accounts/account-at.ts';
import {
  giveProbeBack,
  isAccepted,
  noteRefusal,
  type StoredSecret,
  takeProbe,
} from '../accounts/probe-budget.ts';
import { storedSecret, type Target } from '../targets/load-target.ts';
import { rotatesAsAdmin } from './as-admin.ts';
import type { RotationDeps } from './deps.ts';
import type { Lease } from './lease.ts';

/** The login by which a rotation changes a password: of the account itself, or of the resource's administrator. */
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
 * Counts the login before it is tried, unless the target accepted this very secret last: then it is no guess, and the rotations
 * of many accounts by one administrator do not wait for each other. Answers whether it was counted, or when it may be tried.
 */
export async function countLogin(
  deps: RotationDeps,
  tenantId: string,
  { account, secret }: ChangingLogin,
): Promise<boolean | Date> {
  if (await isAccepted(deps, tenantId, account, secret)) return false;
  return (await takeProbe(deps, tenantId, account)) ?? true;
}

/** The outcome of the login. Repeatable, also after a crash: the rotation's row knows whether the login is still counted. */
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
    await noteRefusal(deps, tenantId, account);
  } else if (counted) {
    await giveProbeBack(deps, tenantId, account, outcome === 'accepted' && isAdmin ? secret : undefined);
  }
}
