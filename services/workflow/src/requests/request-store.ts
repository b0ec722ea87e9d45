import { anyOf, type Reader } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { presentMs } from '../database-clock.ts';
import type { DecisionRow, RequestRow, WorkflowSchema } from '../schema.ts';
import type { RequestState } from './request-machine.ts';

/** A request with its decisions; its row is locked until the transaction ends. */
export interface LockedRequest {
  readonly row: RequestRow;
  readonly decisions: readonly DecisionRow[];
  readonly state: RequestState;
  /** Read after the lock, so that the time is current after a wait. */
  readonly nowMs: number;
}

/**
 * Locks the request, then reads its decisions, so that two concurrent last approvals see each other. Throws
 * not_found.
 */
export async function lockRequest(tx: Reader<WorkflowSchema>, id: string): Promise<LockedRequest> {
  const row = await tx.selectFrom('requests').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  const [decisions, nowMs] = await Promise.all([decisionsOf(tx, [id]), presentMs(tx)]);
  return { row, decisions, state: stateOf(row, decisions), nowMs };
}

export function stateOf(row: RequestRow, decisions: readonly DecisionRow[]): RequestState {
  return {
    status: row.status,
    requesterId: row.requester_id,
    requesterBehind: row.requester_behind,
    digest: row.digest,
    durationMinutes: row.duration_minutes,
    approvedDurationMinutes: row.approved_duration_minutes ?? undefined,
    expiresAtMs: row.expires_at.getTime(),
    steps: row.steps,
    openStep: row.open_step,
    decisions: decisions.map(({ user_id, user_behind, step, decision }) => ({
      userId: user_id,
      behind: user_behind,
      step,
      decision,
    })),
  };
}

/** Oldest first. */
export function decisionsOf(
  reader: Reader<WorkflowSchema>,
  requestIds: readonly string[],
): Promise<DecisionRow[]> {
  return reader
    .selectFrom('decisions')
    .selectAll()
    .where('request_id', '=', anyOf(requestIds, 'uuid'))
    .orderBy('decided_at')
    .orderBy('user_id')
    .execute();
}
