import type * as vault from '@claviger/contracts/vault/v1/vault';
import { pageOf } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { entryById } from '../entries/entry-store.ts';
import type { RotationDeps } from './deps.ts';
import { toRotation } from './rotation-store.ts';

/** Newest first. */
export function listRotations(deps: RotationDeps): Handler<typeof vault.EntriesService.listRotations> {
  return async (request, context) => {
    const id = request.entryId;
    return deps.database.readTenant(context.tenantId, async (reader) => {
      await entryById(reader, id);
      const rotations = reader.selectFrom('rotations').where('entry_id', '=', id);
      return pageOf({
        request,
        query: rotations.selectAll(),
        sort: { requestedAt: { column: 'requested_at', type: 'timestamptz' } },
        defaultSort: 'requestedAt',
        defaultOrder: 'desc',
        tieBreaker: { column: 'id', type: 'uuid' },
        map: (row) => toRotation(row, context),
      });
    });
  };
}
