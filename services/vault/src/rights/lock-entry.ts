import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import type { LockedEntry } from '../entries/entry-store.ts';
import type { VaultTx } from '../schema.ts';
import { requireAccess } from './require-access.ts';

/**
 * Locks the entry until the transaction ends, if the actor has the access level that the method's policy
 * declares. Throws `not_found` or `denied`.
 */
export async function lockEntry(tx: VaultTx, context: CallContext, id: string): Promise<LockedEntry> {
  const row = await tx
    .selectFrom('entries')
    .selectAll()
    .where('id', '=', id)
    .where('status', '=', 'active')
    .forUpdate()
    .executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  await requireAccess(tx, context, row);
  return row;
}
