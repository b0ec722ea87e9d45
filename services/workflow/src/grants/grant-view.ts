import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { GrantRow, GrantStatus } from '../schema.ts';

/** The status as anyone sees it: a grant past its time has expired, whether or not that was written down. */
export function grantStatusAt(grant: Pick<GrantRow, 'status' | 'expires_at'>, nowMs: number): GrantStatus {
  const isLive = grant.status === 'activating' || grant.status === 'active';
  return isLive && nowMs >= grant.expires_at.getTime() ? 'expired' : grant.status;
}

export function grantMessage(row: GrantRow, nowMs: number): workflow.Grant {
  const status = grantStatusAt(row, nowMs);
  const endedAt = row.ended_at ?? (status === 'expired' ? row.expires_at : undefined);
  return {
    id: row.id,
    requestId: row.request_id,
    userId: row.user_id,
    userName: row.user_name,
    resourceId: row.resource_id ?? '',
    resourceName: row.resource_name,
    entryId: row.entry_id,
    entryName: row.entry_name,
    status,
    oneTime: row.one_time,
    rotateOnEnd: row.rotate_on_end,
    startsAt: row.starts_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    endedAt: endedAt?.toISOString(),
    credentialsDeliveredAt: row.credentials_delivered_at?.toISOString(),
    revokedBy: row.revoked_by ?? '',
    revokeReason: row.revoke_reason,
    moduleType: row.module_type,
    problem: row.problem,
    rotation: row.rotation,
  };
}
