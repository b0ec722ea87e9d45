import { sql } from 'kysely';
import type { VaultReader } from './schema.ts';

const WHOLE_TENANT = '00000000-0000-0000-0000-000000000000';

/**
 * Total of an unfiltered list, from counters that triggers maintain. Its cost does not depend on the list's
 * size.
 */
export async function countedTotal(
  reader: VaultReader,
  counted: 'entries' | 'assets',
  scope = WHOLE_TENANT,
): Promise<number> {
  const row = await reader
    .selectFrom('row_counts')
    .select(sql<number>`coalesce(sum(total), 0)::int8`.as('total'))
    .where('counted', '=', counted)
    .where('scope', '=', scope)
    .executeTakeFirstOrThrow();
  return row.total;
}
