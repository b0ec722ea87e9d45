import type { Reader } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';
import type { ElevationRow } from './elevation-schema.ts';

/** A request and the current time of the database. Throws not_found. */
export async function readElevation(
  reader: Reader<WorkflowSchema>,
  id: string,
): Promise<{ readonly row: ElevationRow; readonly nowMs: number }> {
  const found = await reader
    .selectFrom('elevation_requests')
    .selectAll()
    .select(sql<Date>`clock_timestamp()`.as('present'))
    .where('id', '=', id)
    .executeTakeFirst();
  if (!found) throw ClavigerError.notFound();
  const { present, ...row } = found;
  return { row, nowMs: present.getTime() };
}
