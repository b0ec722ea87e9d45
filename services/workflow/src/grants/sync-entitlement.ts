import { isClavigerError } from '@claviger/errors';
import { failpoint } from '@claviger/service-kit';
import { sql } from 'kysely';
import { syncCall } from '../internal-call.ts';
import type { GrantRow } from '../schema.ts';
import type { GrantsDeps } from './deps.ts';
import { failGrant } from './fail-grant.ts';

/**
 * Sends the state of a grant to the vault and stores the confirmation. Throws the error of the vault's call;
 * the due queue then repeats it. Returns the grant as it is afterwards.
 */
export async function syncEntitlement(
  deps: GrantsDeps,
  grant: GrantRow,
  requestId: string,
): Promise<GrantRow> {
  await failpoint(`workflow.grant.before_${grant.sync_wanted ?? 'nothing'}`);
  switch (grant.sync_wanted) {
    case 'place':
      return place(deps, grant, requestId);
    case 'remove':
      return remove(deps, grant, requestId);
    case null:
      return grant;
    default:
      return grant.sync_wanted satisfies never;
  }
}

async function place(deps: GrantsDeps, grant: GrantRow, requestId: string): Promise<GrantRow> {
  try {
    await deps.vault.placeEntitlement(
      {
        grantId: grant.id,
        entryId: grant.entry_id,
        userId: grant.user_id,
        expiresAt: grant.expires_at.toISOString(),
        oneTime: grant.one_time,
        rotateOnEnd: grant.rotate_on_end,
      },
      syncCall(grant.tenant_id, requestId),
    );
  } catch (error) {
    const problem = finalRefusal(error);
    if (problem === undefined) throw error;
    return failGrant(deps, grant, problem, requestId);
  }
  return deps.database.withTenant(grant.tenant_id, async (tx) => {
    const activated = await tx
      .updateTable('grants')
      .set({ status: 'active', sync_wanted: null, next_sync_at: null, sync_attempts: 0 })
      .where('id', '=', grant.id)
      .where('status', '=', 'activating')
      .returningAll()
      .executeTakeFirst();
    if (activated) return activated;
    // The grant ended during the call: the removal is due at once.
    const ended = await tx
      .updateTable('grants')
      .set({ sync_wanted: 'remove', next_sync_at: sql<Date>`now()` })
      .where('id', '=', grant.id)
      .where('status', 'in', ['revoked', 'expired', 'failed'])
      .returningAll()
      .executeTakeFirst();
    return ended ?? grant;
  });
}

/** The reason of a permanent refusal; undefined for an error that can be retried. */
function finalRefusal(error: unknown): string | undefined {
  if (!isClavigerError(error)) return undefined;
  if (error.reason === 'not_found') return 'The entry was deleted before the access started.';
  if (error.code === 'grant_ended') return 'The entitlement was removed before the access started.';
  return undefined;
}

async function remove(deps: GrantsDeps, grant: GrantRow, requestId: string): Promise<GrantRow> {
  const { rotation } = await deps.vault.removeEntitlement(
    { grantId: grant.id, cause: grant.status },
    syncCall(grant.tenant_id, requestId),
  );
  const told = await deps.database.withTenant(grant.tenant_id, (tx) =>
    tx
      .updateTable('grants')
      .set({ sync_wanted: null, next_sync_at: null, sync_attempts: 0, rotation })
      .where('id', '=', grant.id)
      .where('sync_wanted', '=', 'remove')
      .returningAll()
      .executeTakeFirst(),
  );
  // Another replica stored the confirmation first.
  return told ?? { ...grant, sync_wanted: null, next_sync_at: null, rotation };
}
