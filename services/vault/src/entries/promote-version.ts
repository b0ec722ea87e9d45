import { sql } from 'kysely';
import type { VaultTx } from '../schema.ts';

/**
 * Makes a pending version the current one and the entry idle. The former one is kept as previous; other
 * pending versions are rejected, because the target is known to hold this one.
 */
export async function promoteVersion(tx: VaultTx, entryId: string, version: number): Promise<void> {
  await tx
    .updateTable('entry_versions')
    .set({ state: 'previous' })
    .where('entry_id', '=', entryId)
    .where('state', '=', 'current')
    .execute();
  await tx
    .updateTable('entry_versions')
    .set({ state: 'current' })
    .where('entry_id', '=', entryId)
    .where('version', '=', version)
    .where('state', '=', 'pending')
    .execute();
  await tx
    .updateTable('entry_versions')
    .set({ state: 'rejected' })
    .where('entry_id', '=', entryId)
    .where('state', '=', 'pending')
    .execute();
  const { numUpdatedRows } = await tx
    .updateTable('entries')
    .set({
      current_version: version,
      rotation_state: 'idle',
      // The stored time belongs to the former secret.
      last_verified_at: null,
      updated_at: sql<Date>`now()`,
    })
    .where('id', '=', entryId)
    .where('current_version', '<', version)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new Error('A version older than the current one cannot be promoted.');
}
