import type * as vault from '@claviger/contracts/vault/v1/vault';
import { pageOf } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import type { EntriesDeps } from './deps.ts';
import { entryById } from './entry-store.ts';
import { toShare } from './share-store.ts';

export function listShares(deps: EntriesDeps): Handler<typeof vault.EntriesService.listShares> {
  return async (request, context) => {
    const id = request.entryId;
    return deps.database.readTenant(context.tenantId, async (reader) => {
      await entryById(reader, id);
      const shares = reader.selectFrom('shares').where('entry_id', '=', id);
      return pageOf({
        request,
        query: shares.selectAll(),
        sort: {
          createdAt: { column: 'created_at', type: 'timestamptz' },
          access: { column: 'access', type: 'text' },
          userId: { column: 'user_id', type: 'uuid' },
        },
        defaultSort: 'createdAt',
        tieBreaker: { column: 'user_id', type: 'uuid' },
        map: toShare,
      });
    });
  };
}
