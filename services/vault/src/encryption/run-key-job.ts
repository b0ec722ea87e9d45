import { isClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { VaultTx } from '../schema.ts';
import { checkKeys } from './check-keys.ts';
import type { EncryptionDeps } from './deps.ts';
import { exchangeKek, type Progress } from './exchange-kek.ts';
import {
  changeKeyJob,
  ENDED,
  type HeldJob,
  type KeyJobChange,
  KeyJobLostError,
  type KeyJobRow,
  RELEASED,
  takeKeyJob,
} from './key-jobs-store.ts';

const RETRY_SECONDS = 30;

/** Runs a due job as far as possible; a later run continues. Does nothing when another worker holds it. */
export async function workOnKeyJob(
  deps: EncryptionDeps,
  tenantId: string,
  jobId: string,
  signal: AbortSignal,
): Promise<void> {
  const taken = await takeKeyJob(deps, tenantId, jobId).catch((error: unknown) => {
    // The tenant is not active: the job waits.
    if (isClavigerError(error) && ['denied', 'gone'].includes(error.reason)) return undefined;
    throw error;
  });
  if (!taken) return;
  const { held, job } = taken;
  try {
    const work = job.kind === 'rotate-kek' ? exchangeKek : checkKeys;
    await conclude(deps, held, await work(deps, held, job, signal));
  } catch (error) {
    if (error instanceof KeyJobLostError) return;
    deps.logger.warn({ err: error, jobId, tenantId }, 'a job on the keys stopped; a later run continues it');
    // Another run continues. If this write fails as well, the job becomes due when its lease ends.
    await write(deps, held, {
      ...RELEASED,
      problem: isClavigerError(error)
        ? error.message
        : 'Internal error; the log of the vault has the details.',
      next_attempt_at: inSeconds(RETRY_SECONDS),
    }).catch(() => {});
  }
}

async function conclude(deps: EncryptionDeps, held: HeldJob, progress: Progress): Promise<void> {
  if (progress !== 'done' && 'againInSeconds' in progress) {
    await write(deps, held, {
      ...RELEASED,
      problem: '',
      next_attempt_at: inSeconds(progress.againInSeconds),
    });
    return;
  }
  const problem = progress === 'done' ? '' : progress.failed;
  await write(deps, held, { ...ENDED, state: progress === 'done' ? 'done' : 'failed', problem }, (tx, job) =>
    audit(tx, deps, job),
  );
}

async function write(
  deps: EncryptionDeps,
  held: HeldJob,
  change: KeyJobChange,
  also?: (tx: VaultTx, job: KeyJobRow) => Promise<unknown>,
): Promise<void> {
  await deps.database.withTenant(held.tenantId, async (tx) => {
    const job = await changeKeyJob(tx, deps, held, change);
    await also?.(tx, job);
  });
}

function audit(tx: VaultTx, deps: EncryptionDeps, job: KeyJobRow) {
  const sound = job.state === 'done' && job.unrecoverable === 0;
  return deps.emitter.auditDuty(tx, {
    tenantId: job.tenant_id,
    action: job.kind === 'rotate-kek' ? 'encryption.kek.rotated' : 'encryption.repair.finished',
    outcome: sound ? 'allowed' : 'failed',
    subjectType: 'key-hierarchy',
    subjectId: job.tenant_id,
    resourceId: '',
    requestId: '',
    reason: sound ? '' : job.state === 'failed' ? 'failed' : 'unrecoverable_content_keys',
    details: {
      jobId: job.id,
      total: job.total,
      rewrapped: job.rewrapped,
      unrecoverable: job.unrecoverable,
      ...(job.new_kek_id ? { oldKekId: job.old_kek_id ?? '', newKekId: job.new_kek_id } : {}),
    },
  });
}

const inSeconds = (seconds: number) => sql<Date>`clock_timestamp() + make_interval(secs => ${seconds})`;
