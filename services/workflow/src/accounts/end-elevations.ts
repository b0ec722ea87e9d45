import type { Tx } from '@claviger/database';
import { sql } from 'kysely';
import { announce } from '../elevation/announce.ts';
import type { ElevationRow } from '../elevation/elevation-schema.ts';
import { present } from '../elevation/move-elevation.ts';
import { takeBack } from '../elevation/queue-command.ts';
import { factsOf } from '../elevation/record-elevation.ts';
import type { WorkflowSchema } from '../schema.ts';
import type { AccountEnd } from './account-end.ts';
import type { AccountsDeps } from './deps.ts';

type Deps = Pick<AccountsDeps, 'emitter'>;

/** Ends the elevations of an account: pending ones are denied, active ones are revoked on the device. */
export async function endElevationsOf(deps: Deps, tx: Tx<WorkflowSchema>, end: AccountEnd): Promise<void> {
  const { userId, cause, changedBy } = end;
  const denied = await tx
    .updateTable('elevation_requests')
    .set({
      status: 'denied',
      decided_at: present,
      decision_source: 'human',
      decision_reason: cause,
      denied_by: changedBy,
      expires_at: null,
      ended_at: present,
    })
    .where((each) => each.or([each('requester_id', '=', userId), each('subject_user_id', '=', userId)]))
    .where('status', '=', 'pending')
    .where('expires_at', '>', sql<Date>`clock_timestamp()`)
    .returningAll()
    .execute();
  for (const row of denied) await record(deps, tx, row, 'denied', end);
  const revoked = await tx
    .updateTable('elevation_requests')
    .set({ status: 'revoked', ended_at: present, revoked_by: changedBy, decision_reason: cause })
    .where((each) => each.or([each('requester_id', '=', userId), each('subject_user_id', '=', userId)]))
    .where('status', 'in', ['approved', 'auto_approved', 'actuating'])
    .where('expires_at', '>', sql<Date>`clock_timestamp()`)
    .returningAll()
    .execute();
  for (const row of revoked) {
    await takeBack(tx, row);
    await record(deps, tx, row, 'revoked', end);
  }
}

async function record(
  deps: Deps,
  tx: Tx<WorkflowSchema>,
  row: ElevationRow,
  what: 'denied' | 'revoked',
  { cause, changedBy }: AccountEnd,
): Promise<void> {
  await deps.emitter.auditDuty(tx, {
    tenantId: row.tenant_id,
    action: what === 'denied' ? 'elevation.decided' : 'elevation.revoked',
    outcome: 'allowed',
    subjectType: 'elevation',
    subjectId: row.id,
    resourceId: row.device_id ?? '',
    requestId: '',
    reason: cause,
    details: { ...factsOf(row), changedBy },
  });
  await announce(deps.emitter, tx, row, what);
}
