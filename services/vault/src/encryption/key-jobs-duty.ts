import { type Cluster, type Leadership, startDuty } from '@claviger/cluster';
import { ofActiveTenant, requireActiveTenant } from '@claviger/database';
import { isClavigerError } from '@claviger/errors';
import type { JobQueues } from '@claviger/jobs';
import { sql } from 'kysely';
import type { EncryptionDeps } from './deps.ts';
import { insertKeyJob } from './key-jobs-store.ts';
import { workOnKeyJob } from './run-key-job.ts';
import { runKeyJob } from './run-key-job-definition.ts';

const BATCH = 100;
const EVERY_MS = 2_000;

/**
 * Runs jobs on the tenants' keys: those of the job queue in any replica, and on the leader those that the
 * sweep finds due. The leader also requests the rotation of KEKs that have reached their age or number of
 * wraps.
 */
export function startKeyJobs(deps: EncryptionDeps, queues: JobQueues, cluster: Cluster): AsyncDisposable {
  const stop = new AbortController();
  const running = new Map<string, Promise<void>>();
  const run = (tenantId: string, jobId: string): Promise<void> => {
    const known = running.get(jobId);
    if (known) return known;
    const started = workOnKeyJob(deps, tenantId, jobId, stop.signal).finally(() => running.delete(jobId));
    running.set(jobId, started);
    return started;
  };
  queues.work(runKeyJob, async ({ jobId }, { tenantId }) => {
    if (!stop.signal.aborted) await run(tenantId, jobId);
  });

  let checkedAtMs = Number.NEGATIVE_INFINITY;
  const duty = startDuty({
    cluster,
    name: 'key jobs',
    everyMs: EVERY_MS,
    run: async (leadership) => {
      if (performance.now() - checkedAtMs > deps.config.encryption.checkIntervalSeconds * 1_000) {
        checkedAtMs = performance.now();
        for (const { tenant_id, trigger } of await keksDueForRotation(deps))
          await askForRotation(leadership, tenant_id, trigger);
      }
      for (const { tenant_id, id } of await dueJobs(deps)) {
        if (leadership.signal.aborted) return;
        await run(tenant_id, id);
      }
    },
  });

  const askForRotation = async (
    leadership: Leadership,
    tenantId: string,
    trigger: 'age' | 'wraps',
  ): Promise<void> => {
    try {
      await deps.database.withTenant(tenantId, async (tx) => {
        await leadership.assert(tx);
        await requireActiveTenant(tx);
        const job = await insertKeyJob(tx, deps, {
          tenant_id: tenantId,
          kind: 'rotate-kek',
          trigger,
          reason:
            trigger === 'age'
              ? 'The key has reached its maximum age.'
              : 'The key has reached its maximum number of wraps.',
          requested_by: 'vault',
          requested_by_name: 'vault',
        });
        await deps.emitter.auditDuty(tx, {
          tenantId,
          action: 'encryption.kek.rotation.requested',
          outcome: 'allowed',
          subjectType: 'key-hierarchy',
          subjectId: tenantId,
          resourceId: '',
          requestId: '',
          reason: job.reason,
          details: { jobId: job.id, trigger },
        });
      });
    } catch (error) {
      // A job is running already, or the tenant is not active.
      if (!isClavigerError(error) || !['conflict', 'denied', 'gone'].includes(error.reason)) throw error;
    }
  };

  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await duty[Symbol.asyncDispose]();
      await Promise.allSettled(running.values());
    },
  };
}

function dueJobs(deps: EncryptionDeps) {
  return deps.database.systemQuery((reader) =>
    reader
      .selectFrom('key_jobs')
      .select(['tenant_id', 'id'])
      .where('finished_at', 'is', null)
      .where('next_attempt_at', '<=', sql<Date>`now()`)
      .where((eb) => eb.or([eb('lease_until', 'is', null), eb('lease_until', '<', sql<Date>`now()`)]))
      .where(ofActiveTenant('key_jobs.tenant_id'))
      .orderBy('next_attempt_at')
      .limit(BATCH)
      .compile(),
  );
}

/** Tenants whose active KEK has reached its age or number of wraps. */
async function keksDueForRotation(
  deps: EncryptionDeps,
): Promise<{ tenant_id: string; trigger: 'age' | 'wraps' }[]> {
  const { kekMaxAgeDays, kekMaxWraps } = deps.config.encryption;
  const aged = sql<boolean>`keks.activated_at < now() - make_interval(days => ${kekMaxAgeDays})`;
  const wraps = sql<number>`(SELECT sum(c.total) FROM row_counts c
    WHERE c.tenant_id = keks.tenant_id AND c.counted = 'wraps' AND c.scope = keks.id)`;
  return deps.database.systemQuery((reader) =>
    reader
      .selectFrom('keks')
      .select([
        'tenant_id',
        sql<'age' | 'wraps'>`CASE WHEN ${aged} THEN 'age' ELSE 'wraps' END`.as('trigger'),
      ])
      .where('state', '=', 'active')
      .where((eb) => eb.or([aged, sql<boolean>`${wraps} >= ${kekMaxWraps}`]))
      .where(ofActiveTenant('keks.tenant_id'))
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('key_jobs')
              .select('id')
              .whereRef('key_jobs.tenant_id', '=', 'keks.tenant_id')
              .where('finished_at', 'is', null),
          ),
        ),
      )
      .limit(BATCH)
      .compile(),
  );
}
