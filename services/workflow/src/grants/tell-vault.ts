import { isClavigerError } from '@claviger/errors';
import { failpoint } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { WorkflowDeps } from '../deps.ts';
import type { GrantRow } from '../schema.ts';
import { syncCall } from '../vault-call.ts';

/**
 * A call to place an entitlement may reach the vault late, after the removal. Until this time has passed since it was
 * sent, a removal is not taken as the last word.
 */
const PLACE_IN_FLIGHT_SECONDS = 60;

/**
 * Tells the vault what a grant's state asks for, and writes down that it knows. Throws what the vault's call threw; the
 * due queue then repeats it. Answers whether the vault has nothing more to be told.
 */
export async function tellVault(deps: WorkflowDeps, grant: GrantRow, requestId: string): Promise<boolean> {
  await failpoint(`workflow.grant.before_${grant.sync_wanted ?? 'nothing'}`);
  switch (grant.sync_wanted) {
    case 'place':
      return place(deps, grant, requestId);
    case 'remove':
      return remove(deps, grant, requestId);
    case null:
      return true;
    default:
      return grant.sync_wanted satisfies never;
  }
}

async function place(deps: WorkflowDeps, grant: GrantRow, requestId: string): Promise<boolean> {
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
  return deps.database.withTenant(grant.tenant_id, async (tx) => {
    const activated = await tx
      .updateTable('grants')
      .set({
        status: 'active',
        sync_wanted: null,
        next_sync_at: null,
        // Of several calls an earlier one may still be on its way.
        place_asked_at: sql<Date | null>`CASE WHEN sync_attempts > 0 THEN place_asked_at END`,
        sync_attempts: 0,
      })
      .where('id', '=', grant.id)
      .where('status', '=', 'activating')
      .returning('id')
      .executeTakeFirst();
    if (activated) return true;
    // It ended while the vault was being told: what was placed goes again, at once.
    const ended = await tx
      .updateTable('grants')
      .set({ sync_wanted: 'remove', next_sync_at: sql<Date>`now()` })
      .where('id', '=', grant.id)
      .where('status', 'in', ['revoked', 'expired'])
      .returning('id')
      .executeTakeFirst();
    return ended === undefined;
  });
}

async function remove(deps: WorkflowDeps, grant: GrantRow, requestId: string): Promise<boolean> {
  const cause = grant.status === 'revoked' ? 'revoked' : 'expired';
  try {
    await deps.vault.removeEntitlement({ grantId: grant.id, cause }, syncCall(grant.tenant_id, requestId));
  } catch (error) {
    // The vault never heard of it: there is nothing to take back.
    if (!isClavigerError(error) || error.reason !== 'not_found') throw error;
  }
  const placeInFlight = sql<boolean>`place_asked_at > now() - make_interval(secs => ${PLACE_IN_FLIGHT_SECONDS})`;
  const row = await deps.database.withTenant(grant.tenant_id, (tx) =>
    tx
      .updateTable('grants')
      .set({
        sync_wanted: sql<'remove' | null>`CASE WHEN ${placeInFlight} THEN 'remove' END`,
        next_sync_at: sql<Date | null>`CASE WHEN ${placeInFlight} THEN place_asked_at + make_interval(secs => ${PLACE_IN_FLIGHT_SECONDS}) END`,
        sync_attempts: 0,
      })
      .where('id', '=', grant.id)
      .where('sync_wanted', '=', 'remove')
      .returning('sync_wanted')
      .executeTakeFirst(),
  );
  return row?.sync_wanted !== 'remove';
}
