import type { vault } from '@claviger/contracts';
import type { Handler } from '@claviger/service-kit';
import type { VaultDeps } from '../deps.ts';
import { requireId } from '../ids.ts';
import { entryById, toEntry } from './entry-rows.ts';

export function getEntry(deps: VaultDeps): Handler<(typeof vault.EntriesServiceService)['getEntry']> {
  return async (request, context) => {
    const id = requireId(request.entryId);
    const row = await deps.database.readTenant(context.tenantId, (reader) => entryById(reader, id));
    return { entry: toEntry(row) };
  };
}
