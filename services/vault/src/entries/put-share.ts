import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { activeUsers } from '../rights/active-users.ts';
import { lockEntry } from '../rights/lock-entry.ts';
import type { EntriesDeps } from './deps.ts';
import { entrySubject } from './entry-store.ts';
import { accessShared, toShare } from './share-store.ts';

/**
 * Creates or changes a share. Throws `invalid` unless the user is active: a share of a disabled user would
 * take effect when the user is enabled again.
 */
export function putShare(deps: EntriesDeps): Handler<typeof vault.EntriesService.putShare> {
  return async (request, context) => {
    context.auditSubject = { type: 'entry', id: request.entryId };
    const id = request.entryId;
    const { userId } = request;
    const access = request.access as 'view' | 'modify' | 'manage';
    const active = (await activeUsers(deps, context, [userId])).has(userId);
    return deps.database.withTenant(context.tenantId, async (tx) => {
      const entry = await lockEntry(tx, context, id);
      if (!active) throw noActiveUser();
      const before = await accessShared(tx, id, userId);
      const row = await tx
        .insertInto('shares')
        .values({
          tenant_id: context.tenantId,
          entry_id: id,
          user_id: userId,
          access,
          granted_by: context.actor.userId,
        })
        .onConflict((conflict) =>
          conflict
            .columns(['tenant_id', 'entry_id', 'user_id'])
            .doUpdateSet({ access, granted_by: context.actor.userId }),
        )
        .returningAll()
        .executeTakeFirstOrThrow();
      await deps.emitter.audit(tx, context, {
        subject: entrySubject(entry),
        details: { userId, access, before },
      });
      return { share: toShare(row) };
    });
  };
}

function noActiveUser(): ClavigerError {
  return new ClavigerError('invalid', 'The request is not valid.', {
    fields: [{ pointer: '/userId', detail: 'is not the id of an active user' }],
    hint: 'Use an id from the list of users, and enable a disabled user first.',
  });
}
