import type { Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';
import type { AccessEnd } from '../tenancy/access-end.ts';
import { announce } from './announce.ts';
import type { ElevationDeps } from './deps.ts';
import { present } from './move-elevation.ts';
import { takeBack } from './queue-command.ts';
import { factsOf } from './record-elevation.ts';

/** For an end without a user. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

/** Ends the active elevations of a tenant for good. Returns their number. */
export async function endElevations(
  deps: Pick<ElevationDeps, 'emitter'>,
  tx: Tx<WorkflowSchema>,
  end: AccessEnd,
): Promise<number> {
  const ended = await tx
    .updateTable('elevation_requests')
    .set({
      status: 'revoked',
      ended_at: present,
      revoked_by: end.endedBy || NOBODY,
      decision_reason: end.reason,
    })
    .where('status', 'in', ['approved', 'auto_approved', 'actuating'])
    .where('expires_at', '>', sql<Date>`clock_timestamp()`)
    .returningAll()
    .execute();
  for (const row of ended) {
    await takeBack(tx, row);
    await deps.emitter.auditDuty(tx, {
      tenantId: row.tenant_id,
      action: 'elevation.revoked',
      outcome: 'allowed',
      subjectType: 'elevation',
      subjectId: row.id,
      resourceId: row.device_id ?? '',
      requestId: '',
      reason: end.reason,
      details: factsOf(row),
    });
    await announce(deps.emitter, tx, row, 'revoked');
  }
  return ended.length;
}
