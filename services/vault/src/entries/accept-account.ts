import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { requireRowVersion } from '../ids.ts';
import { lockEntry } from '../rights/lock-entry.ts';
import { notResourceOwner, ownsTarget } from '../rights/resource-owner.ts';
import type { EntriesDeps } from './deps.ts';
import { entryById, entrySubject, toEntry } from './entry-store.ts';

/**
 * Marks an unproven account as proven, gives it to the acceptor, who owns the resource, and ends its shares:
 * the actor who named the account must not read the secrets that the resource's admin entry sets later.
 */
export function acceptAccount(deps: EntriesDeps): Handler<typeof vault.EntriesService.acceptAccount> {
  return async (request, context) => {
    context.auditSubject = { type: 'entry', id: request.entryId };
    const id = request.entryId;
    const { actor, tenantId } = context;
    return deps.database.withTenant(tenantId, async (tx) => {
      const entry = await lockEntry(tx, context, id);
      requireRowVersion(request.rowVersion, entry.row_version);
      if (!entry.unproven) {
        throw new ClavigerError('conflict', 'This entry is not unproven.', {
          code: 'already_proven',
          hint: 'It needs no acceptance.',
        });
      }
      if (!entry.asset_id || !(await ownsTarget(tx, actor, entry.asset_id))) throw notResourceOwner();
      await tx
        .updateTable('entries')
        .set({
          unproven: false,
          owner_id: actor.userId,
          row_version: entry.row_version + 1,
          updated_at: sql<Date>`now()`,
        })
        .where('id', '=', id)
        .execute();
      const ended = await tx.deleteFrom('shares').where('entry_id', '=', id).returning('user_id').execute();
      // An open proposal concerns the former owner.
      await tx.deleteFrom('entry_adoptions').where('entry_id', '=', id).execute();
      await deps.emitter.audit(tx, context, {
        subject: entrySubject(entry),
        reason: request.reason,
        details: {
          username: entry.username,
          before: { ownerId: entry.owner_id },
          after: { ownerId: actor.userId },
          endedShares: ended.map((share) => share.user_id).slice(0, 100),
        },
      });
      return { entry: toEntry(await entryById(tx, id)) };
    });
  };
}
