import type { EndTenantAccess } from '@claviger/restore';
import { sql } from 'kysely';
import { endSessionsOfTenant } from '../breakglass/end-sessions-of-tenant.ts';
import { endElevations } from '../elevation/end-elevations.ts';
import type { WorkflowSchema } from '../schema.ts';
import type { TenancyDeps } from './deps.ts';
import { endGrants } from './end-grants.ts';

const REASON = 'The database was restored to an older state.';

/**
 * Ends everything that may have been decided, used or ended between the backup and the restore: grants,
 * emergency access and its offline codes, elevations, and pending requests (one of them may have been denied
 * since).
 */
export function endAccessAfterRestore(
  deps: Pick<TenancyDeps, 'emitter' | 'logger'>,
): EndTenantAccess<WorkflowSchema> {
  return async (tx, { tenantId }) => {
    const end = { tenantId, reason: REASON };
    const grants = await endGrants(deps, tx, end);
    const { sessions, codes } = await endSessionsOfTenant(deps, tx, end);
    const elevations = await endElevations(deps, tx, end);
    const lapsed = await tx
      .updateTable('requests')
      .set({ status: 'expired', decided_at: sql<Date>`clock_timestamp()` })
      .where('status', '=', 'pending')
      .returning(['id', 'resource_id', 'entry_id', 'requester_id'])
      .execute();
    for (const row of lapsed) {
      await deps.emitter.auditDuty(tx, {
        tenantId,
        action: 'request.expired',
        outcome: 'allowed',
        subjectType: 'request',
        subjectId: row.id,
        resourceId: row.resource_id ?? '',
        requestId: '',
        reason: REASON,
        details: { entryId: row.entry_id, requesterId: row.requester_id },
      });
    }
    // The sweep updates the rows and writes their events.
    const waiting = await tx
      .updateTable('elevation_requests')
      .set({ expires_at: sql<Date>`least(expires_at, clock_timestamp())` })
      .where('status', '=', 'pending')
      .executeTakeFirst();
    return {
      grants,
      breakglassSessions: sessions,
      breakglassCodes: codes,
      elevations: elevations + Number(waiting.numUpdatedRows),
      requests: lapsed.length,
    };
  };
}
