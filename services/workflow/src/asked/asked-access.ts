import type { GrantRow, RequestRow } from '../schema.ts';
import type { Extent } from './beyond-asked.ts';

/** The extent of a request for access, with the shortest duration approved so far. */
export function askedAccess(row: RequestRow): Extent {
  return {
    subject: { entryId: row.entry_id, resourceId: row.resource_id },
    userId: row.requester_id,
    minutes: row.approved_duration_minutes ?? row.duration_minutes,
    oneTime: row.one_time,
    rotateOnEnd: row.rotate_on_end,
  };
}

/** The extent of a grant. */
export function givenAccess(row: GrantRow): Extent {
  return {
    subject: { entryId: row.entry_id, resourceId: row.resource_id },
    userId: row.user_id,
    minutes: (row.expires_at.getTime() - row.starts_at.getTime()) / 60_000,
    oneTime: row.one_time,
    rotateOnEnd: row.rotate_on_end,
  };
}
