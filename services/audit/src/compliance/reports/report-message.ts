import type * as compliance from '@claviger/contracts/audit/v1/compliance';
import type { Reader } from '@claviger/database';
import { sql } from 'kysely';
import type { AuditSchema } from '../../schema.ts';

/** Reports as they are shown. */
export function reportQuery(reader: Reader<AuditSchema>) {
  return reader
    .selectFrom('compliance_reports')
    .select([
      'id',
      'state',
      'sections',
      'progress_percent',
      'problem',
      'note',
      'requested_by',
      'requested_by_name',
      'schedule_id',
      'created_at',
      'finished_at',
      'expires_at',
      'size_bytes',
      'sha256',
      'bom',
    ])
    .select([sql<string>`from_day::text`.as('first_day'), sql<string>`to_day::text`.as('last_day')]);
}

export type ReportRow = Awaited<ReturnType<ReturnType<typeof reportQuery>['executeTakeFirstOrThrow']>>;

export function reportMessage(row: ReportRow): compliance.Report {
  return {
    id: row.id,
    state: row.state,
    from: row.first_day,
    to: row.last_day,
    sections: row.sections,
    progressPercent: row.progress_percent,
    problem: row.problem,
    requestedBy: row.requested_by,
    requestedByName: row.requested_by_name,
    scheduleId: row.schedule_id ?? undefined,
    note: row.note,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString(),
    expiresAt: row.expires_at?.toISOString(),
    sizeBytes: row.size_bytes ?? undefined,
    sha256: row.sha256 ?? undefined,
    bom: row.bom,
  };
}
