import { sql } from 'kysely';
import type { ExposureKind, VaultTx } from '../schema.ts';

export interface ExposureRecord {
  readonly entryId: string;
  readonly version: number;
  readonly userId: string;
  readonly userName: string;
  readonly kind: ExposureKind;
  /** Id of the grant or of the emergency session; null for the other kinds. */
  readonly via: string | null;
}

/** Records that a user sees a version, and how. Runs in the transaction of the disclosure. */
export async function recordExposure(tx: VaultTx, tenantId: string, seen: ExposureRecord): Promise<void> {
  await tx
    .insertInto('exposures')
    .values({
      tenant_id: tenantId,
      entry_id: seen.entryId,
      version: seen.version,
      user_id: seen.userId,
      grant_id: seen.kind === 'grant' ? seen.via : null,
    })
    .onConflict((conflict) =>
      conflict.columns(['tenant_id', 'entry_id', 'version', 'user_id']).doUpdateSet({
        last_seen_at: sql<Date>`now()`,
        times: sql<number>`exposures.times + 1`,
        grant_id: sql<string | null>`coalesce(excluded.grant_id, exposures.grant_id)`,
      }),
    )
    .execute();
  await recordPath(tx, tenantId, seen);
}

/** Records how a user knows a version without a disclosure, for example by typing the secret. */
export async function recordPath(tx: VaultTx, tenantId: string, known: ExposureRecord): Promise<void> {
  await tx
    .insertInto('exposure_paths')
    .values({
      tenant_id: tenantId,
      entry_id: known.entryId,
      version: known.version,
      user_id: known.userId,
      user_name: known.userName,
      kind: known.kind,
      ...(known.via === null ? {} : { via: known.via }),
    })
    .onConflict((conflict) =>
      conflict.columns(['tenant_id', 'entry_id', 'version', 'user_id', 'kind', 'via']).doUpdateSet({
        last_seen_at: sql<Date>`now()`,
        times: sql<number>`exposure_paths.times + 1`,
        user_name: sql<string>`excluded.user_name`,
      }),
    )
    .execute();
}
