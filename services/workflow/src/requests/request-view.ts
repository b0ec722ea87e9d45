import { type RowOf, rowMapper } from '@claviger/contracts';
import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { anyOf, type Reader } from '@claviger/database';
import { policyMessage } from '../policies/access-policy.ts';
import type { DecisionRow, PolicyChange, ProtectionChange, RequestRow, WorkflowSchema } from '../schema.ts';
import { progressOf, statusAt } from './request-machine.ts';
import { decisionsOf, stateOf } from './request-store.ts';

const mapRequest = rowMapper<workflow.AccessRequest>('claviger.workflow.v1.AccessRequest');
const mapDecision = rowMapper<workflow.Decision>('claviger.workflow.v1.Decision');

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
    reader
      .selectFrom('grants')
      .select(['id', 'request_id'])
      .where('request_id', '=', anyOf(ids, 'uuid'))
      .execute(),
  ]);
  const byRequest = Map.groupBy(decisions, (each) => each.request_id);
  const grantIds = new Map(grants.map((grant) => [grant.request_id, grant.id]));
  return rows.map((row) => message(row, byRequest.get(row.id) ?? [], grantIds.get(row.id) ?? '', nowMs));
}

/** A single request. */
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
  // An expired request was settled at its end.
  const decidedAt = row.decided_at ?? (status === 'expired' ? row.expires_at : undefined);
  return mapRequest({
    ...row,
    status,
    steps: progressOf(state, status),
    decisions: decisions.map((each) => mapDecision(each)),
    grant_id: grantId,
    decided_at: decidedAt,
    ...changeOf(row),
  });
}

function changeOf({
  kind,
  change,
  resource_id,
}: RequestRow): Pick<RowOf<workflow.AccessRequest>, 'change' | 'policy_change'> {
  if (kind === 'access') return { change: undefined, policy_change: undefined };
  if (kind === 'protection') return { change: change as ProtectionChange, policy_change: undefined };
  const { before, after } = change as PolicyChange;
  const message = (policy: PolicyChange['before']) => policyMessage(resource_id!, policy);
  return { change: undefined, policy_change: { before: message(before), after: message(after) } };
}
