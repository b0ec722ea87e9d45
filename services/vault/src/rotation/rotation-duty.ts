import { type DutyHost, type DutyLag, type Leadership, LeadershipLost, startDuty } from '@claviger/cluster';
import { ofActiveTenant } from '@claviger/database';
import { isClavigerError } from '@claviger/errors';
import type { JobQueues } from '@claviger/jobs';
import { sql } from 'kysely';
import { assignDueAccounts } from '../accounts/assign-due-accounts.ts';
import type { RotationDeps } from './deps.ts';
import { isFree, queueScheduled } from './queue-scheduled.ts';
import { rotateCredentialJob } from './rotate-credential-job.ts';
import { runRotation } from './run-rotation.ts';

const BATCH = 100;
const STOP_AFTER_MS = 8_000;
/** Only replicas of a former release store entries without an account. */
const ASSIGN_EVERY_MS = 10_000;

/**
 * Runs rotations: those of the job queue in any replica, and on the leader those that the sweep finds due.
 * Disposing it lets running rotations finish for 8 seconds, then closes their connections; those are then in
 * doubt.
 */
export function startRotationDuty(deps: RotationDeps, queues: JobQueues, cluster: DutyHost): AsyncDisposable {
  const { concurrency, sweepIntervalSeconds } = deps.config.rotation;
  const stop = new AbortController();
  const cut = new AbortController();
  const running = new Map<string, Promise<void>>();

  const run = (tenantId: string, rotationId: string): Promise<void> => {
    const known = running.get(rotationId);
    if (known) return known;
    const started = runRotation(deps, tenantId, rotationId, cut.signal).finally(() =>
      running.delete(rotationId),
    );
    running.set(rotationId, started);
    return started;
  };

  queues.work(rotateCredentialJob, async ({ rotationId }, { tenantId }) => {
    if (!stop.signal.aborted) await run(tenantId, rotationId);
  });

  let assignedAtMs = Number.NEGATIVE_INFINITY;
  const sweep = async (leadership: Leadership): Promise<void> => {
    if (performance.now() - assignedAtMs > ASSIGN_EVERY_MS) {
      await assignDueAccounts(deps, leadership);
      assignedAtMs = performance.now();
    }
    for (const { tenant_id, id } of await dueEntries(deps)) {
      // An entry with damaged keys must not stop the others.
      await queueScheduled(deps, tenant_id, id, leadership).catch(async (error: unknown) => {
        if (error instanceof LeadershipLost) throw error;
        deps.logger.warn({ err: error, entryId: id }, 'a scheduled rotation could not be queued');
        if (!isVaultWide(error)) await postponeEntry(deps, tenant_id, id, leadership);
      });
    }
    for (const { tenant_id, id } of await dueRotations(deps)) {
      while (running.size >= concurrency) await Promise.race(running.values());
      if (stop.signal.aborted || leadership.signal.aborted) return;
      void run(tenant_id, id).catch((error: unknown) =>
        deps.logger.warn({ err: error, rotationId: id }, 'a rotation could not be started'),
      );
    }
  };

  const duty = startDuty({
    cluster,
    name: 'rotation sweep',
    everyMs: sweepIntervalSeconds * 1_000,
    run: sweep,
    lag: () => rotationLag(deps),
  });

  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await duty[Symbol.asyncDispose]();
      const timer = setTimeout(() => cut.abort(), STOP_AFTER_MS);
      await Promise.allSettled(running.values());
      clearTimeout(timer);
    },
  };
}

/** Whether the cause concerns the whole vault and not this entry. */
function isVaultWide(error: unknown): boolean {
  return isClavigerError(error) && ['unavailable', 'deadline_exceeded', 'sealed'].includes(error.reason);
}

/** Moves a failing entry back, so that such entries do not fill the first batch of the due queue. */
async function postponeEntry(
  deps: RotationDeps,
  tenantId: string,
  entryId: string,
  leadership: Leadership,
): Promise<void> {
  await deps.database.withTenant(tenantId, async (tx) => {
    await leadership.assert(tx);
    await tx
      .updateTable('entries')
      .set({ next_rotation_at: sql<Date>`now() + interval '1 hour'` })
      .where('id', '=', entryId)
      .where('next_rotation_at', '<=', sql<Date>`now()`)
      .execute();
  });
}

function dueRotations(deps: RotationDeps) {
  return deps.database.systemQuery((reader) =>
    reader
      .selectFrom('rotations')
      .select(['tenant_id', 'id'])
      .where('finished_at', 'is', null)
      .where(ofActiveTenant('rotations.tenant_id'))
      .where('next_attempt_at', '<=', sql<Date>`now()`)
      .where((eb) => eb.or([eb('lease_until', 'is', null), eb('lease_until', '<', sql<Date>`now()`)]))
      .orderBy('next_attempt_at')
      .limit(BATCH)
      .compile(),
  );
}

function dueEntries(deps: RotationDeps) {
  return deps.database.systemQuery((reader) =>
    reader
      .selectFrom('entries')
      .select(['tenant_id', 'id'])
      .where('next_rotation_at', '<=', sql<Date>`now()`)
      .where('status', '=', 'active')
      .where(isFree)
      .where(ofActiveTenant('entries.tenant_id'))
      .orderBy('next_rotation_at')
      .limit(BATCH)
      .compile(),
  );
}

/** Number of due rotations and schedules, each counted up to 10,000, and the age of the oldest. */
async function rotationLag(deps: RotationDeps): Promise<DutyLag> {
  const rows = await deps.database.systemQuery((reader) =>
    sql<{ waiting: number; oldest_ms: number | null }>`
      SELECT count(*)::int AS waiting, (extract(epoch FROM now() - min(due_at)) * 1000)::bigint AS oldest_ms
      FROM ((SELECT next_attempt_at AS due_at FROM rotations
          WHERE finished_at IS NULL AND next_attempt_at <= now() ORDER BY next_attempt_at LIMIT 10000)
        UNION ALL (SELECT next_rotation_at FROM entries
          WHERE next_rotation_at <= now() AND status = 'active' AND ${isFree}
          ORDER BY next_rotation_at LIMIT 10000)) AS due`.compile(reader),
  );
  return { waiting: rows[0]?.waiting ?? 0, oldestMs: Math.max(0, rows[0]?.oldest_ms ?? 0) };
}
