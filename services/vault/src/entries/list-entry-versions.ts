import type * as vault from '@claviger/contracts/vault/v1/vault';
import { pageOf } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { time } from '../ids.ts';
import type { EntriesDeps } from './deps.ts';
import { entryById } from './entry-store.ts';

/** Newest first. */
export function listEntryVersions(deps: EntriesDeps): Handler<typeof vault.EntriesService.listEntryVersions> {
  return async (request, context) => {
    const id = request.entryId;
    return deps.database.readTenant(context.tenantId, async (reader) => {
      await entryById(reader, id);
      const versions = reader.selectFrom('entry_versions').where('entry_id', '=', id);
      return pageOf({
        request,
        query: versions.select([
          'version',
          'state',
          'created_by',
          'created_at',
          sql<number>`(SELECT count(*) FROM exposures x WHERE x.entry_id = entry_versions.entry_id AND x.version = entry_versions.version)`.as(
            'seen_by_count',
          ),
        ]),
        sort: {
          version: { column: 'version', type: 'int8' },
          createdAt: { column: 'created_at', type: 'timestamptz' },
        },
        defaultSort: 'version',
        defaultOrder: 'desc',
        tieBreaker: { column: 'version', type: 'int8' },
        map: (row) => ({
          version: row.version,
          state: row.state,
          createdBy: row.created_by,
          createdAt: time(row.created_at),
          seenByCount: row.seen_by_count,
        }),
      });
    });
  };
}
