import type { ElevationRow } from '../elevation/elevation-schema.ts';
import type { Extent } from './beyond-asked.ts';

type Asked = Pick<ElevationRow, 'flow_type' | 'requested_at'> &
  Partial<
    Pick<
      ElevationRow,
      'requested_minutes' | 'execution_expires_at' | 'action_digest' | 'device_id' | 'subject_user_id'
    >
  >;

/**
 * The extent of a requested elevation. A technician requests minutes. A tool gets at most its waiting time. A
 * prompt names no duration; its approver sets one. `defaultMinutes` applies to technicians' requests that are
 * older than the stored default.
 */
export function askedElevation(row: Asked, defaultMinutes: number): Extent {
  return {
    subject: {
      flowType: row.flow_type,
      deviceId: row.device_id ?? null,
      actionDigest: row.action_digest ?? null,
    },
    userId: row.subject_user_id ?? null,
    minutes: minutesOf(row, defaultMinutes),
  };
}

function minutesOf(row: Asked, defaultMinutes: number): number | null {
  switch (row.flow_type) {
    case 'tech_jit_admin':
      return row.requested_minutes ?? defaultMinutes;
    case 'ai_tool_action':
      return Math.ceil((row.execution_expires_at!.getTime() - row.requested_at.getTime()) / 60_000);
    default:
      return row.requested_minutes ?? null;
  }
}
