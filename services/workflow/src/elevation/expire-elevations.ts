import { anyOf, type Database, ofActiveTenant, type Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { Due } from '../duties/due.ts';
import type { WorkflowSchema } from '../schema.ts';
import { announce } from './announce.ts';
import type { ElevationDeps } from './deps.ts';
import { factsOf } from './record-elevation.ts';

const BATCH = 200;

/** Elevations of active tenants that are past their end and not yet marked as expired. */
export function lapsedElevations(database: Database<WorkflowSchema>): Promise<Due[]> {
  return database.systemQuery((reader) =>
    reader
      .selectFrom('elevation_requests')
      .select(['tenant_id as tenantId', 'id'])
      .where(sql<boolean>`status IN ('pending', 'approved', 'auto_approved', 'actuating')`)
      .where('expires_at', '<=', sql<Date>`clock_timestamp()`)
      .where(ofActiveTenant('elevation_requests.tenant_id'))
      .orderBy('expires_at')
      .limit(BATCH)
      .compile(),
  );
}

/** Marks elevations as expired, with event and announcement; they are shown as expired already. */
export async function expireElevations(
  deps: Pick<ElevationDeps, 'emitter'>,
  tx: Tx<WorkflowSchema>,
  ids: readonly string[],
): Promise<number> {
  const expired = await tx
    .updateTable('elevation_requests')
    .set((each) => ({ status: 'expired', ended_at: each.ref('expires_at') }))
    .where('id', '=', anyOf(ids, 'uuid'))
    .where('status', 'in', ['pending', 'approved', 'auto_approved', 'actuating'])
    .where('expires_at', '<=', sql<Date>`clock_timestamp()`)
    .returningAll()
    .execute();
  for (const row of expired) {
    await deps.emitter.auditDuty(tx, {
      tenantId: row.tenant_id,
      action: 'elevation.expired',
      outcome: 'allowed',
      subjectType: 'elevation',
      subjectId: row.id,
      resourceId: row.device_id ?? '',
      requestId: '',
      reason: '',
      details: factsOf(row),
    });
    await announce(deps.emitter, tx, row, 'expired');
  }
  return expired.length;
}
