import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { lockEntry } from '../rights/lock-entry.ts';
import type { EntriesDeps } from './deps.ts';
import { entrySubject } from './entry-store.ts';
import { accessShared } from './share-store.ts';

export function deleteShare(deps: EntriesDeps): Handler<typeof vault.EntriesService.deleteShare> {
  return async (request, context) => {
    context.auditSubject = { type: 'entry', id: request.entryId };
    const id = request.entryId;
    const userId = request.userId;
    await deps.database.withTenant(context.tenantId, async (tx) => {
      const entry = await lockEntry(tx, context, id);
      const before = await accessShared(tx, id, userId);
      if (before === null) throw ClavigerError.notFound();
      await tx.deleteFrom('shares').where('entry_id', '=', id).where('user_id', '=', userId).execute();
      await deps.emitter.audit(tx, context, { subject: entrySubject(entry), details: { userId, before } });
    });
    return {};
  };
}
