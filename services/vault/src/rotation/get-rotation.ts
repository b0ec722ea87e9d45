import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { entryById } from '../entries/entry-store.ts';
import type { RotationDeps } from './deps.ts';
import { toRotation } from './rotation-store.ts';

export function getRotation(deps: RotationDeps): Handler<typeof vault.EntriesService.getRotation> {
  return async (request, context) => {
    const entryId = request.entryId;
    const id = request.rotationId;
    return deps.database.readTenant(context.tenantId, async (reader) => {
      await entryById(reader, entryId);
      const row = await reader
        .selectFrom('rotations')
        .selectAll()
        .where('id', '=', id)
        .where('entry_id', '=', entryId)
        .executeTakeFirst();
      if (!row) throw ClavigerError.notFound();
      return { rotation: toRotation(row, context) };
    });
  };
}
