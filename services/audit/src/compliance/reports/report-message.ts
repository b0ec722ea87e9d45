import { rowMapper } from '@claviger/contracts';
import type * as compliance from '@claviger/contracts/audit/v1/compliance';
import type { Reader } from '@claviger/database';
import { sql } from 'kysely';
import type { AuditSchema } from '../../schema.ts';

/** The columns of a report that the API shows. */
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

const mapReport = rowMapper<compliance.Report>('claviger.audit.v1.Report');

export function reportMessage(row: ReportRow): compliance.Report {
  return mapReport({
    ...row,
    from: row.first_day,
    to: row.last_day,
  });
}
