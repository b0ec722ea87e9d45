import { sql } from 'kysely';
import type { VaultTx } from '../deps.ts';

/** Notes in the ledger that a user is about to see a version; part of the disclosing transaction. */
export async function recordExposure(
  tx: VaultTx,
  tenantId: string,
  seen: { entryId: string; version: number; userId: string; grantId: string | null },
): Promise<void> {
  await tx
    .insertInto('exposures')
    .values({
      tenant_id: tenantId,
      entry_id: seen.entryId,
      version: seen.version,
      user_id: seen.userId,
      grant_id: seen.grantId,
    })
    .onConflict((conflict) =>
      conflict.columns(['tenant_id', 'entry_id', 'version', 'user_id']).doUpdateSet({
        last_seen_at: sql<Date>`now()`,
        times: sql<number>`exposures.times + 1`,
        grant_id: sql<string | null>`coalesce(excluded.grant_id, exposures.grant_id)`,
      }),
    )
    .execute();
}
