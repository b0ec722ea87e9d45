import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { Reader } from '@claviger/database';
import { policyMessage } from '../policies/access-policy.ts';
import type { DecisionRow, PolicyChange, ProtectionChange, RequestRow, WorkflowSchema } from '../schema.ts';
import { progressOf, statusAt } from './request-machine.ts';
import { decisionsOf, stateOf } from './request-store.ts';

/** Rows as the API shows them, with their decisions and grants, as of `nowMs`. */
export async function requestMessages(
  reader: Reader<WorkflowSchema>,
  rows: readonly RequestRow[],
  nowMs: number,
): Promise<workflow.AccessRequest[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const [decisions, grants] = await Promise.all([
    decisionsOf(reader, ids),
    reader.selectFrom('grants').select(['id', 'request_id']).where('request_id', 'in', ids).execute(),
  ]);
  const byRequest = Map.groupBy(decisions, (each) => each.request_id);
  const grantIds = new Map(grants.map((grant) => [grant.request_id, grant.id]));
  return rows.map((row) => message(row, byRequest.get(row.id) ?? [], grantIds.get(row.id) ?? '', nowMs));
}

/** One of them. */
export async function requestMessage(
  reader: Reader<WorkflowSchema>,
  row: RequestRow,
  nowMs: number,
): Promise<workflow.AccessRequest> {
  const [only] = await requestMessages(reader, [row], nowMs);
  return only!;
}

function message(
  row: RequestRow,
  decisions: readonly DecisionRow[],
  grantId: string,
  nowMs: number,
): workflow.AccessRequest {
  const state = stateOf(row, decisions);
  const status = statusAt(state, nowMs);
  // What lapsed was settled by the clock, at its end.
  const decidedAt = row.decided_at ?? (status === 'expired' ? row.expires_at : undefined);
  return {
    id: row.id,
    kind: row.kind,
    status,
    requesterId: row.requester_id,
    requesterName: row.requester_name,
    resourceId: row.resource_id ?? '',
    resourceName: row.resource_name,
    entryId: row.entry_id ?? '',
    entryName: row.entry_name,
    reason: row.reason,
    ticket: row.ticket,
    durationMinutes: row.duration_minutes,
    digest: row.digest,
    steps: progressOf(state, status),
    decisions: decisions.map((each) => ({
      userId: each.user_id,
      userName: each.user_name,
      decision: each.decision,
      comment: each.comment,
      step: each.step,
      durationMinutes: each.duration_minutes ?? 0,
      decidedAt: each.decided_at.toISOString(),
    })),
    grantId,
    createdAt: row.created_at.toISOString(),
    decidedAt: decidedAt?.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    approvedDurationMinutes: row.approved_duration_minutes ?? 0,
    ...changeOf(row),
  };
}

function changeOf({
  kind,
  change,
  resource_id,
}: RequestRow): Pick<workflow.AccessRequest, 'change' | 'policyChange'> {
  if (kind === 'access') return { change: undefined, policyChange: undefined };
  if (kind === 'protection') return { change: change as ProtectionChange, policyChange: undefined };
  const { before, after } = change as PolicyChange;
  const message = (policy: PolicyChange['before']) => policyMessage(resource_id!, policy);
  return { change: undefined, policyChange: { before: message(before), after: message(after) } };
}
