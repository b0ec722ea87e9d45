import type { vault } from '@claviger/contracts';
import { pageOf } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { type CallContext, type Handler, permits } from '@claviger/service-kit';
import type { Selectable } from 'kysely';
import type { VaultDeps, VaultTx } from '../deps.ts';
import { requireId, time } from '../ids.ts';
import type { VaultSchema } from '../schema.ts';
import { entryById, entrySubject, type LockedEntry, lockEntry } from './entry-rows.ts';

export function listShares(deps: VaultDeps): Handler<(typeof vault.EntriesServiceService)['listShares']> {
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

/** Gives or changes standing access. */
export function putShare(deps: VaultDeps): Handler<(typeof vault.EntriesServiceService)['putShare']> {
  return async (request, context) => {
    context.auditSubject = { type: 'entry', id: request.entryId };
    const id = requireId(request.entryId);
    const userId = requireId(request.userId);
    const access = request.access as 'view' | 'modify' | 'manage';
    return deps.database.withTenant(context.tenantId, async (tx) => {
      const entry = await lockEntry(tx, id);
      await requireManage(tx, context, entry);
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
      await deps.emitter.audit(tx, context, { subject: entrySubject(entry), details: { userId, access } });
      return { share: toShare(row) };
    });
  };
}

export function deleteShare(deps: VaultDeps): Handler<(typeof vault.EntriesServiceService)['deleteShare']> {
  return async (request, context) => {
    context.auditSubject = { type: 'entry', id: request.entryId };
    const id = requireId(request.entryId);
    const userId = requireId(request.userId);
    await deps.database.withTenant(context.tenantId, async (tx) => {
      const entry = await lockEntry(tx, id);
      await requireManage(tx, context, entry);
      const { numDeletedRows } = await tx
        .deleteFrom('shares')
        .where('entry_id', '=', id)
        .where('user_id', '=', userId)
        .executeTakeFirst();
      if (numDeletedRows === 0n) throw ClavigerError.notFound();
      await deps.emitter.audit(tx, context, { subject: entrySubject(entry), details: { userId } });
    });
    return {};
  };
}

/** Who may not see a secret may not let themselves see it: its creator, its managers and administrators share it. */
async function requireManage(tx: VaultTx, context: CallContext, entry: LockedEntry): Promise<void> {
  const { actor } = context;
  if (entry.created_by === actor.userId || permits(actor.permissions, 'vault.entries.retrieve-any')) return;
  const own = await tx
    .selectFrom('shares')
    .select('access')
    .where('entry_id', '=', entry.id)
    .where('user_id', '=', actor.userId)
    .executeTakeFirst();
  if (own?.access === 'manage') return;
  throw new ClavigerError('denied', 'Only those who manage this entry can share it.', {
    hint: 'Ask its creator, somebody with a manage share, or an administrator.',
  });
}

function toShare(row: Selectable<VaultSchema['shares']>): vault.Share {
  return {
    entryId: row.entry_id,
    userId: row.user_id,
    access: row.access,
    grantedBy: row.granted_by,
    createdAt: time(row.created_at),
  };
}
