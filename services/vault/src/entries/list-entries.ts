import type * as vault from '@claviger/contracts/vault/v1/vault';
import { countRows, likeTerm, pageOf, type SortFields } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { countedTotal } from '../list-totals.ts';
import type { EntryRotationState, VaultReader } from '../schema.ts';
import type { EntriesDeps } from './deps.ts';
import { entryQuery, toEntry } from './entry-store.ts';

const SORT: SortFields = {
  name: { column: 'entries.name', type: 'text' },
  username: { column: 'entries.username', type: 'text' },
  createdAt: { column: 'entries.created_at', type: 'timestamptz' },
  updatedAt: { column: 'entries.updated_at', type: 'timestamptz' },
};

export function listEntries(deps: EntriesDeps): Handler<typeof vault.EntriesService.listEntries> {
  return (request, context) =>
    deps.database.readTenant(context.tenantId, (reader) =>
      pageOf({
        request,
        query: filtered(reader, request),
        sort: SORT,
        defaultSort: 'name',
        tieBreaker: { column: 'entries.id', type: 'uuid' },
        total: () => total(reader, request),
        map: toEntry,
      }),
    );
}

function filtered(reader: VaultReader, request: vault.ListEntriesRequest) {
  let query = entryQuery(reader);
  const { resourceId, type, rotationState, tag, search, ownerId } = request;
  if (ownerId) query = query.where('entries.owner_id', '=', ownerId);
  if (resourceId) query = query.where('entries.asset_id', '=', resourceId);
  if (type) query = query.where('entries.type', '=', type);
  if (rotationState) query = query.where('entries.rotation_state', '=', rotationState as EntryRotationState);
  if (tag) query = query.where(sql<boolean>`${tag} = ANY (entries.tags)`);
  if (search) {
    const term = likeTerm(search);
    query = query.where((eb) =>
      eb.or([
        eb('entries.name', 'ilike', term),
        eb('entries.username', 'ilike', term),
        eb('assets.name', 'ilike', term),
        sql<boolean>`EXISTS (SELECT FROM unnest(entries.tags) t WHERE t ILIKE ${term})`,
      ]),
    );
  }
  return query;
}

async function total(reader: VaultReader, request: vault.ListEntriesRequest): Promise<number> {
  const { resourceId, type, rotationState, tag, search, ownerId } = request;
  if (!type && !rotationState && !tag && !search && !ownerId) {
    return countedTotal(reader, 'entries', resourceId || undefined);
  }
  return countRows(filtered(reader, request));
}
