import type * as vault from '@claviger/contracts/vault/v1/vault';
import type { Handler } from '@claviger/service-kit';
import type { EntriesDeps } from './deps.ts';
import { entryById, toEntry } from './entry-store.ts';

export function getEntry(deps: EntriesDeps): Handler<typeof vault.EntriesService.getEntry> {
  return async (request, context) => {
    const id = request.entryId;
    const row = await deps.database.readTenant(context.tenantId, (reader) => entryById(reader, id));
    return { entry: toEntry(row) };
  };
}
