import type { EndTenantAccess } from '@claviger/restore';
import { sql } from 'kysely';
import type { VaultSchema } from '../schema.ts';
import type { TenancyDeps } from './deps.ts';
import { endPendingWork } from './end-pending-work.ts';

/**
 * Ends all entitlements, because one-time credentials may have been delivered and grants may have ended since
 * the backup. Ends emergency sessions, and releases the leases of former workers, so that changes in doubt
 * are resolved at once.
 */
export function endAccessAfterRestore(deps: Pick<TenancyDeps, 'emitter'>): EndTenantAccess<VaultSchema> {
  return async (tx, { tenantId }) => {
    const { entitlements, rotations } = await endPendingWork(deps, tx, {
      tenantId,
      reason: 'The database was restored before the rotation started.',
    });
    const emergencies = await tx
      .updateTable('emergency_sessions')
      .set({ ended_at: sql<Date>`clock_timestamp()`, end_cause: 'restore' })
      .where('ended_at', 'is', null)
      .executeTakeFirst();
    const leases = await tx
      .updateTable('rotations')
      .set({ lease_owner: null, lease_until: null })
      .where('finished_at', 'is', null)
      .where('lease_owner', 'is not', null)
      .executeTakeFirst();
    const keyLeases = await tx
      .updateTable('key_jobs')
      .set({ lease_owner: null, lease_until: null })
      .where('finished_at', 'is', null)
      .where('lease_owner', 'is not', null)
      .executeTakeFirst();
    return {
      entitlements,
      rotations,
      emergencySessions: Number(emergencies.numUpdatedRows),
      leases: Number(leases.numUpdatedRows + keyLeases.numUpdatedRows),
    };
  };
}
