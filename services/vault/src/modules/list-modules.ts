import type * as vault from '@claviger/contracts/vault/v1/vault';
import { likeTerm, pageOf, type SortFields } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import type { VaultReader } from '../schema.ts';
import type { ModulesDeps } from './deps.ts';
import { toModule } from './module-store.ts';

const SORT: SortFields = {
  name: { column: 'name', type: 'text' },
  type: { column: 'type', type: 'text' },
  status: { column: 'status', type: 'text' },
  createdAt: { column: 'created_at', type: 'timestamptz' },
  updatedAt: { column: 'updated_at', type: 'timestamptz' },
};

export function listModules(deps: ModulesDeps): Handler<typeof vault.ModulesService.listModules> {
  return (request, context) =>
    deps.database.readTenant(context.tenantId, (reader) =>
      pageOf({
        request,
        query: filtered(reader, request).selectAll(),
        sort: SORT,
        defaultSort: 'name',
        tieBreaker: { column: 'id', type: 'uuid' },
        map: (row) => toModule(row, context),
      }),
    );
}

function filtered(reader: VaultReader, { moduleType, status, search }: vault.ListModulesRequest) {
  let query = reader.selectFrom('modules');
  if (moduleType) query = query.where('type', '=', moduleType);
  if (status) query = query.where('status', '=', status as 'ok');
  if (search) query = query.where('name', 'ilike', likeTerm(search));
  return query;
}
