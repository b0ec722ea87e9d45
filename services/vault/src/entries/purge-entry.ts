import type { Leadership } from '@claviger/cluster';
import { sql } from 'kysely';
import type { EntriesDeps } from './deps.ts';

/**
 * Removes the wrapped DEKs and the encrypted secrets of a deleted entry after its retention, in one
 * transaction with the audit event. The exposures and the hash of each version stay. Returns whether it
 * purged the entry: concurrent sweeps purge it once.
 */
export async function purgeEntry(
  deps: Pick<EntriesDeps, 'database' | 'emitter' | 'config'>,
  tenantId: string,
  entryId: string,
  leadership: Pick<Leadership, 'assert'>,
): Promise<boolean> {
  const days = deps.config.purge.retentionDays;
  return deps.database.withTenant(tenantId, async (tx) => {
    await leadership.assert(tx);
    const entry = await tx
      .updateTable('entries')
      .set({ purged_at: sql<Date>`clock_timestamp()` })
      .where('id', '=', entryId)
      .where('status', '=', 'deleted')
      .where('purged_at', 'is', null)
      .where('deleted_at', '<=', sql<Date>`now() - make_interval(days => ${days}::int)`)
      .returning(['asset_id', 'name', 'deleted_at'])
      .executeTakeFirst();
    if (!entry) return false;
    const empty = Buffer.alloc(0);
    const versions = await tx
      .updateTable('entry_versions')
      .set({
        purged_at: sql<Date>`clock_timestamp()`,
        kek_id: null,
        wrapped_cek: empty,
        iv: empty,
        ciphertext: empty,
        tag: empty,
        commitment: empty,
      })
      .where('entry_id', '=', entryId)
      .where('purged_at', 'is', null)
      .executeTakeFirst();
    await deps.emitter.auditDuty(tx, {
      tenantId,
      action: 'vault.entry.purged',
      outcome: 'allowed',
      subjectType: 'entry',
      subjectId: entryId,
      resourceId: entry.asset_id ?? '',
      requestId: '',
      reason: '',
      details: {
        name: entry.name,
        deletedAt: entry.deleted_at!.toISOString(),
        retentionDays: days,
        versions: Number(versions.numUpdatedRows),
      },
    });
    return true;
  });
}
