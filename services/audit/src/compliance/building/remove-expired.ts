import type { Leadership } from '@claviger/cluster';
import { sql } from 'kysely';
import type { ComplianceDeps } from '../deps.ts';

const BATCH = 20;

/**
 * Removes expired packages; their reports stay listed. Includes suspended tenants: removal discloses nothing.
 */
export async function removeExpired(
  { database }: Pick<ComplianceDeps, 'database'>,
  leadership: Leadership,
): Promise<number> {
  const expired = await database.systemQuery((reader) =>
    reader
      .selectFrom('compliance_reports')
      .select(['tenant_id', 'id'])
      .where('state', '=', 'ready')
      .where('expires_at', '<=', sql<Date>`now()`)
      .orderBy('expires_at')
      .limit(BATCH)
      .compile(),
  );
  for (const { tenant_id, id } of expired) {
    if (leadership.signal.aborted) break;
    await database.withTenant(tenant_id, async (tx) => {
      await leadership.assert(tx);
      await tx.deleteFrom('compliance_package_chunks').where('report_id', '=', id).execute();
      await tx.updateTable('compliance_reports').set({ state: 'expired' }).where('id', '=', id).execute();
    });
  }
  return expired.length;
}
