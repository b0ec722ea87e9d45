import { rowMapper } from '@claviger/contracts';
import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { VaultReader } from '../schema.ts';

/** Resources as the API returns them; no order, no limit. */
export function resourceQuery(reader: VaultReader) {
  return reader
    .selectFrom('assets')
    .leftJoin('modules', 'modules.id', 'assets.module_id')
    .select([
      'assets.id',
      'assets.name',
      'assets.type',
      'assets.module_id',
      'modules.type as module_type',
      'assets.host',
      'assets.port',
      'assets.description',
      'assets.status',
      'assets.tags',
      'assets.settings',
      'assets.admin_entry_id',
      'assets.owner_id',
      'assets.row_version',
      'assets.created_at',
      'assets.updated_at',
      sql<number>`(SELECT coalesce(sum(total), 0)::int8 FROM row_counts WHERE counted = 'entries' AND scope = assets.id)`.as(
        'entry_count',
      ),
    ]);
}

export type ResourceRow = Awaited<ReturnType<ReturnType<typeof resourceQuery>['executeTakeFirstOrThrow']>>;

export const toResource: (row: ResourceRow) => vault.Resource = rowMapper<vault.Resource>(
  'claviger.vault.v1.Resource',
);

/** Throws `not_found`. */
export async function resourceById(reader: VaultReader, id: string): Promise<ResourceRow> {
  const row = await resourceQuery(reader).where('assets.id', '=', id).executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  return row;
}
