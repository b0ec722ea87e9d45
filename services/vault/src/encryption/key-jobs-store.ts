import { randomUUID } from 'node:crypto';
import { rowMapper } from '@claviger/contracts';
import type * as encryption from '@claviger/contracts/vault/v1/encryption';
import { isUniqueViolation, requireActiveTenant } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { type RawBuilder, type Selectable, sql } from 'kysely';
import type { VaultReader, VaultSchema, VaultTx } from '../schema.ts';
import type { EncryptionDeps } from './deps.ts';
import { runKeyJob } from './run-key-job-definition.ts';

export type KeyJobRow = Selectable<VaultSchema['key_jobs']>;

/** Another worker holds the job. This one must not write any more. */
export class KeyJobLostError extends Error {
  override readonly name = 'KeyJobLostError';
}

/** Columns that a worker may change. */
export type KeyJobChange = Partial<{
  state: KeyJobRow['state'];
  total: number;
  processed: RawBuilder<number>;
  rewrapped: RawBuilder<number>;
  unrecoverable: RawBuilder<number>;
  old_kek_id: string | null;
  new_kek_id: string;
  cursor_entry_id: string;
  cursor_version: number;
  problem: string;
  next_attempt_at: RawBuilder<Date>;
  started_at: RawBuilder<Date>;
  finished_at: RawBuilder<Date>;
  lease_owner: null;
  lease_until: RawBuilder<Date> | null;
}>;

/**
 * Stores a job and notifies a worker. Throws conflict `key_job_in_progress` while the tenant has another job.
 */
export async function insertKeyJob(
  tx: VaultTx,
  deps: EncryptionDeps,
  job: Pick<KeyJobRow, 'tenant_id' | 'kind' | 'trigger' | 'reason' | 'requested_by' | 'requested_by_name'>,
): Promise<KeyJobRow> {
  try {
    const row = await tx
      .insertInto('key_jobs')
      .values({ ...job, id: randomUUID() })
      .returningAll()
      .executeTakeFirstOrThrow();
    await deps.emitter.job(tx, job.tenant_id, runKeyJob.queue, { jobId: row.id });
    return row;
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new ClavigerError('conflict', 'A job on the keys of this tenant is running.', {
      code: 'key_job_in_progress',
      hint: 'Follow it with GET /api/v1/admin/encryption/jobs, and repeat the call when it has ended.',
    });
  }
}

/** A job under the lease of one worker. */
export interface HeldJob {
  readonly tenantId: string;
  readonly jobId: string;
  readonly owner: string;
}

/**
 * Takes the lease of a due job, by the database's clock; undefined if it is not due or another worker holds
 * it. Throws for a suspended tenant.
 */
export async function takeKeyJob(
  deps: EncryptionDeps,
  tenantId: string,
  jobId: string,
): Promise<{ held: HeldJob; job: KeyJobRow } | undefined> {
  const owner = randomUUID();
  const job = await deps.database.withTenant(tenantId, async (tx) => {
    await requireActiveTenant(tx);
    return tx
      .updateTable('key_jobs')
      .set({
        lease_owner: owner,
        lease_until: leaseEnd(deps),
        state: 'running',
        started_at: sql<Date>`coalesce(started_at, clock_timestamp())`,
      })
      .where('id', '=', jobId)
      .where('finished_at', 'is', null)
      .where('next_attempt_at', '<=', sql<Date>`clock_timestamp()`)
      .where((eb) =>
        eb.or([eb('lease_until', 'is', null), eb('lease_until', '<', sql<Date>`clock_timestamp()`)]),
      )
      .returningAll()
      .executeTakeFirst();
  });
  return job && { held: { tenantId, jobId, owner }, job };
}

/**
 * Every write of a worker: asserts and renews the lease, in the transaction of its effects. Throws
 * KeyJobLostError.
 */
export async function changeKeyJob(
  tx: VaultTx,
  deps: EncryptionDeps,
  held: HeldJob,
  change: KeyJobChange,
): Promise<KeyJobRow> {
  const row = await tx
    .updateTable('key_jobs')
    .set({ lease_until: leaseEnd(deps), ...change } as never)
    .where('id', '=', held.jobId)
    .where('lease_owner', '=', held.owner)
    .where('finished_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
  if (!row) throw new KeyJobLostError('Another worker holds the job on the keys.');
  return row;
}

const leaseEnd = (deps: EncryptionDeps): RawBuilder<Date> =>
  sql<Date>`clock_timestamp() + make_interval(secs => ${deps.config.encryption.leaseSeconds})`;

export const RELEASED = { lease_owner: null, lease_until: null } as const;
export const ENDED = { ...RELEASED, finished_at: sql<Date>`clock_timestamp()` } as const;

const mapKeyJob = rowMapper<encryption.KeyJob>('claviger.vault.v1.KeyJob');

export function toKeyJob(row: KeyJobRow): encryption.KeyJob {
  const done = row.state === 'done';
  return mapKeyJob({
    ...row,
    progress_percent: done
      ? 100
      : Math.min(99, row.total === 0 ? 0 : Math.floor((100 * row.processed) / row.total)),
  });
}

/** Throws `not_found`. */
export async function keyJobById(reader: VaultReader, id: string): Promise<KeyJobRow> {
  const row = await reader.selectFrom('key_jobs').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  return row;
}
