import type { BreakglassSessionRow } from './breakglass-schema.ts';

/** The details of a session in each of its audit events. */
export function sessionDetails(row: BreakglassSessionRow) {
  return {
    userId: row.user_id,
    userName: row.user_name,
    state: row.state,
    openedBy: row.opened_by,
    allEntries: row.all_entries,
    entryIds: row.entry_ids,
    resourceIds: row.resource_ids,
    durationMinutes: row.duration_minutes,
    ...(row.expires_at ? { expiresAt: row.expires_at.toISOString() } : {}),
    ...(row.confirmed_by ? { confirmedById: row.confirmed_by } : {}),
  };
}

export const subjectOf = (id: string) => ({ type: 'breakglass-session', id });
