import { rowMapper } from '@claviger/contracts';
import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { GrantRow, GrantStatus } from '../schema.ts';

/** The status as it is shown: a grant past its end has expired, even before the sweep updates its row. */
export function grantStatusAt(grant: Pick<GrantRow, 'status' | 'expires_at'>, nowMs: number): GrantStatus {
  const isLive = grant.status === 'activating' || grant.status === 'active';
  return isLive && nowMs >= grant.expires_at.getTime() ? 'expired' : grant.status;
}

const mapGrant = rowMapper<workflow.Grant>('claviger.workflow.v1.Grant');

export function grantMessage(row: GrantRow, nowMs: number): workflow.Grant {
  const status = grantStatusAt(row, nowMs);
  const endedAt = row.ended_at ?? (status === 'expired' ? row.expires_at : undefined);
  return mapGrant({
    ...row,
    status,
    ended_at: endedAt,
  });
}
