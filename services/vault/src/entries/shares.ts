import { rowMapper } from '@claviger/contracts';
import type * as vault from '@claviger/contracts/vault/v1/vault';
import { pageOf } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import type { Selectable } from 'kysely';
import type { VaultDeps } from '../deps.ts';
import { isId, requireId } from '../ids.ts';
import { activeUsers } from '../rights/active-users.ts';
import { lockEntry } from '../rights/lock-entry.ts';
import type { VaultSchema, VaultTx } from '../schema.ts';
import { entryById, entrySubject } from './entry-rows.ts';

export function listShares(deps: VaultDeps): Handler<(typeof vault.EntriesService)['listShares']> {
  return async (request, context) => {
    const id = requireId(request.entryId);
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

/**
 * Gives or changes standing access. Throws `invalid` for anybody but an active user: a share of somebody
 * disabled would open the entry on the day they are enabled again.
 */
export function putShare(deps: VaultDeps): Handler<(typeof vault.EntriesService)['putShare']> {
  return async (request, context) => {
    context.auditSubject = { type: 'entry', id: request.entryId };
    const id = requireId(request.entryId);
    const { userId } = request;
    const access = request.access as 'view' | 'modify' | 'manage';
    const active = isId(userId) && (await activeUsers(deps, context, [userId])).has(userId);
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

export function deleteShare(deps: VaultDeps): Handler<(typeof vault.EntriesService)['deleteShare']> {
  return async (request, context) => {
    context.auditSubject = { type: 'entry', id: request.entryId };
    const id = requireId(request.entryId);
    const userId = requireId(request.userId);
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

function noActiveUser(): ClavigerError {
  return new ClavigerError('invalid', 'The request is not valid.', {
    fields: [{ pointer: '/userId', detail: 'is not the id of an active user' }],
    hint: 'Take an id of the list of users; enable somebody who is disabled first.',
  });
}

/** What the user's share allows now; null for no share. */
async function accessShared(tx: VaultTx, entryId: string, userId: string): Promise<string | null> {
  const row = await tx
    .selectFrom('shares')
    .select('access')
    .where('entry_id', '=', entryId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row?.access ?? null;
}

const toShare: (row: Selectable<VaultSchema['shares']>) => vault.Share =
  rowMapper<vault.Share>('claviger.vault.v1.Share');
