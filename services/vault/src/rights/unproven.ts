import { ClavigerError, isClavigerError } from '@claviger/errors';
import type { Actor, CallContext } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { VaultReader } from '../schema.ts';
import type { RightsDeps } from './deps.ts';
import type { Protection } from './lowered-protection.ts';
import { ownsTarget } from './resource-owner.ts';

/** Whether a connector can log in with the entry: a password or key of a resource, with a user name. */
export function isLoginAccount(entry: {
  readonly type: string;
  readonly username: string;
  readonly asset_id: string | null;
}): boolean {
  return (
    (entry.type === 'password' || entry.type === 'ssh-key') &&
    entry.username !== '' &&
    entry.asset_id !== null
  );
}

/** Whether an account that the actor names must be proven first: it must unless the actor owns the target. */
export async function mustBeProven(
  reader: VaultReader,
  actor: Actor,
  entry: { readonly type: string; readonly username: string; readonly asset_id: string | null },
): Promise<boolean> {
  return isLoginAccount(entry) && !(await ownsTarget(reader, actor, entry.asset_id!));
}

/**
 * Asks workflow, before the transaction that creates an account, whether the resource has an access policy of
 * its own. True while workflow does not answer.
 */
export async function hasAccessPolicy(
  deps: Pick<RightsDeps, 'protection'>,
  context: CallContext,
  resourceId: string,
): Promise<boolean> {
  const { tenantId, requestId, sourceAddress, deadline, signal } = context;
  try {
    const call = { tenantId, requestId, sourceAddress, deadline, signal };
    return (await deps.protection.describePolicy({ resourceId }, call)).customised;
  } catch (error) {
    if (isClavigerError(error) && (error.reason === 'unavailable' || error.reason === 'deadline_exceeded'))
      return true;
    throw error;
  }
}

/**
 * The minimum protection of an unproven account: what the resource's policy and its other accounts require.
 */
export async function leastProtection(
  reader: VaultReader,
  resourceId: string,
  hasPolicy: boolean,
): Promise<Protection> {
  const { grant, reason } = await reader
    .selectFrom('entries')
    .select([
      sql<boolean>`coalesce(bool_or(requires_grant), false)`.as('grant'),
      sql<boolean>`coalesce(bool_or(requires_reason), false)`.as('reason'),
    ])
    .where('status', '=', 'active')
    .where((eb) =>
      eb.or([
        eb('asset_id', '=', resourceId),
        eb('id', 'in', eb.selectFrom('assets').select('admin_entry_id').where('id', '=', resourceId)),
      ]),
    )
    .executeTakeFirstOrThrow();
  return { requiresGrant: grant || hasPolicy, requiresReason: reason };
}

export function unproven(reason: 'conflict' | 'denied', what: string): ClavigerError {
  return new ClavigerError(reason, `${what} is unproven.`, {
    code: 'unproven',
    hint: 'Verify it with its own current secret, or ask an owner of the resource to accept it.',
  });
}
