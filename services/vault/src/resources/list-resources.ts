import type * as vault from '@claviger/contracts/vault/v1/vault';
import { countRows, likeTerm, pageOf, type SortFields } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { countedTotal } from '../list-totals.ts';
import type { VaultReader } from '../schema.ts';
import type { ResourcesDeps } from './deps.ts';
import { resourceQuery, toResource } from './resource-store.ts';

const SORT: SortFields = {
  name: { column: 'assets.name', type: 'text' },
  type: { column: 'assets.type', type: 'text' },
  createdAt: { column: 'assets.created_at', type: 'timestamptz' },
  updatedAt: { column: 'assets.updated_at', type: 'timestamptz' },
};

export function listResources(deps: ResourcesDeps): Handler<typeof vault.ResourcesService.listResources> {
  return (request, context) =>
    deps.database.readTenant(context.tenantId, (reader) =>
      pageOf({
        request,
        query: filtered(reader, request),
        sort: SORT,
        defaultSort: 'name',
        tieBreaker: { column: 'assets.id', type: 'uuid' },
        total: () => total(reader, request),
        map: toResource,
      }),
    );
}

function filtered(reader: VaultReader, request: vault.ListResourcesRequest) {
  let query = resourceQuery(reader);
  const { status, type, moduleType, tag, search } = request;
  if (status) query = query.where('assets.status', '=', status as 'active');
  if (type) query = query.where('assets.type', '=', type);
  if (moduleType) query = query.where('modules.type', '=', moduleType);
  if (tag) query = query.where(sql<boolean>`${tag} = ANY (assets.tags)`);
  if (search) {
    const term = likeTerm(search);
    query = query.where((eb) =>
      eb.or([
        eb('assets.name', 'ilike', term),
        eb('assets.host', 'ilike', term),
        eb('assets.description', 'ilike', term),
        sql<boolean>`EXISTS (SELECT FROM unnest(assets.tags) t WHERE t ILIKE ${term})`,
      ]),
    );
  }
  return query;
}

async function total(reader: VaultReader, request: vault.ListResourcesRequest): Promise<number> {
  const { status, type, moduleType, tag, search } = request;
  if (!status && !type && !moduleType && !tag && !search) return countedTotal(reader, 'assets');
  return countRows(filtered(reader, request));
}
