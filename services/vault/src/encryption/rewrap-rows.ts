import { IntegrityError, type IntegrityReason, type Kek, rewrapDek } from '@claviger/keyring';
import { sql } from 'kysely';
import type { VaultTx } from '../schema.ts';
import type { HeldJob } from './key-jobs-store.ts';
import type { EncryptedVersion } from './secrets.ts';
import type { TenantKeys } from './tenant-keys.ts';

export interface Finding {
  readonly entryId: string;
  readonly version: number;
  readonly outcome: 'repaired' | 'unrecoverable';
  readonly problem: IntegrityReason | 'missing_version' | 'outdated_key';
}

/**
 * Rewraps the DEKs of these rows for `kek` if another KEK wraps them. Returns those that cannot be decrypted;
 * they are not changed. The caller has locked the rows. Throws `sealed` or `unavailable` if the keys are not
 * available.
 */
export async function rewrapRows(
  tx: VaultTx,
  keys: TenantKeys,
  kek: Kek,
  rows: readonly EncryptedVersion[],
): Promise<{ rewrapped: readonly EncryptedVersion[]; broken: Finding[] }> {
  const rewrapped: EncryptedVersion[] = [];
  const wrapped: Buffer[] = [];
  const broken: Finding[] = [];
  for (const row of rows) {
    try {
      const former = await keys.named(row.tenant_id, row.kek_id);
      // Also tests a row that `kek` wraps already.
      const result = rewrapDek(former, kek, recordOf(row), idsOf(row));
      if (row.kek_id === kek.kekId) continue;
      rewrapped.push(row);
      wrapped.push(result);
    } catch (error) {
      if (!(error instanceof IntegrityError)) throw error;
      broken.push({
        entryId: row.entry_id,
        version: row.version,
        outcome: 'unrecoverable',
        problem: error.reason,
      });
    }
  }
  if (rewrapped.length > 0) {
    const entryIds = rewrapped.map((row) => row.entry_id);
    const versions = rewrapped.map((row) => row.version);
    await sql`UPDATE entry_versions AS v SET kek_id = ${kek.kekId}::uuid, wrapped_cek = n.wrapped
      FROM unnest(${entryIds}::uuid[], ${versions}::int[], ${wrapped}::bytea[]) AS n (entry_id, version, wrapped)
      WHERE v.entry_id = n.entry_id AND v.version = n.version`.execute(tx);
    await sql`SELECT count_rows('wraps', current_tenant(), ${kek.kekId}::uuid, ${rewrapped.length}::bigint)`.execute(
      tx,
    );
  }
  return { rewrapped, broken };
}

/** Stores the findings of a job. */
export async function storeFindings(tx: VaultTx, held: HeldJob, findings: readonly Finding[]): Promise<void> {
  if (findings.length === 0) return;
  await tx
    .insertInto('key_findings')
    .values(
      findings.map(({ entryId, version, outcome, problem }) => ({
        tenant_id: held.tenantId,
        job_id: held.jobId,
        entry_id: entryId,
        version,
        outcome,
        problem,
      })),
    )
    .execute();
}

const recordOf = (row: EncryptedVersion) => ({
  dekId: row.cek_id,
  wrappedDek: row.wrapped_cek,
  iv: row.iv,
  ciphertext: row.ciphertext,
  tag: row.tag,
  commitment: row.commitment,
  blobSha256: row.blob_sha256,
});

const idsOf = (row: EncryptedVersion) => ({
  tenantId: row.tenant_id,
  entryId: row.entry_id,
  version: row.version,
  purpose: row.purpose,
  kekId: row.kek_id,
});
