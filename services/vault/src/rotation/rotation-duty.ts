import { isClavigerError } from '@claviger/errors';
import type { JobQueues } from '@claviger/jobs';
import { sql } from 'kysely';
import type { VaultDeps } from '../deps.ts';
import { queueScheduled } from './queue-scheduled.ts';
import { rotateCredentialJob } from './rotate-credential-job.ts';
import { runRotation } from './run-rotation.ts';

const BATCH = 100;
const STOP_AFTER_MS = 8_000;

/**
 * Runs rotations in this process: those that the job queue wakes it for, and those that a sweep finds due. Any number of
 * replicas may do so. Disposing it lets running rotations finish for some seconds, then cuts their connections, which leaves
 * them to be found out about.
 */
export function startRotationDuty(deps: VaultDeps, queues: JobQueues): AsyncDisposable {
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

  const sweep = async (): Promise<void> => {
    for (const { tenant_id, id } of await dueEntries(deps)) {
      // One entry whose keys are damaged must not hold up all others.
      await queueScheduled(deps, tenant_id, id).catch(async (error: unknown) => {
        deps.logger.warn({ err: error, entryId: id }, 'a scheduled rotation could not be queued');
        if (!isPassing(error)) await putOff(deps, tenant_id, id);
      });
    }
    for (const { tenant_id, id } of await dueRotations(deps)) {
      while (running.size >= concurrency) await Promise.race(running.values());
      if (stop.signal.aborted) return;
      void run(tenant_id, id).catch((error: unknown) =>
        deps.logger.warn({ err: error, rotationId: id }, 'a rotation could not be taken up'),
      );
    }
  };

  let failures = 0;
  const loop = (async () => {
    while (!stop.signal.aborted) {
      try {
        await sweep();
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures === 1 || failures % 60 === 0) {
          deps.logger.warn({ err: error, failures }, 'due rotations could not be looked for; it tries again');
        }
      }
      // Jitter keeps replicas from asking all at the same moment.
      await pause(sweepIntervalSeconds * 1_000 * (0.75 + Math.random() / 2), stop.signal);
    }
  })();

  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await loop;
      const timer = setTimeout(() => cut.abort(), STOP_AFTER_MS);
      await Promise.allSettled(running.values());
      clearTimeout(timer);
    },
  };
}

/** Whether the whole vault, not this entry, is the reason. */
function isPassing(error: unknown): boolean {
  return isClavigerError(error) && ['unavailable', 'deadline_exceeded', 'sealed'].includes(error.reason);
}

/** The due-queue is read from its front: what stays there for ever would in the end fill a whole batch. */
async function putOff(deps: VaultDeps, tenantId: string, entryId: string): Promise<void> {
  await deps.database.withTenant(tenantId, (tx) =>
    tx
      .updateTable('entries')
      .set({ next_rotation_at: sql<Date>`now() + interval '1 hour'` })
      .where('id', '=', entryId)
      .where('next_rotation_at', '<=', sql<Date>`now()`)
      .execute(),
  );
}

function dueRotations(deps: VaultDeps) {
  return deps.database.system((tx) =>
    tx
      .selectFrom('rotations')
      .select(['tenant_id', 'id'])
      .where('finished_at', 'is', null)
      .where('next_attempt_at', '<=', sql<Date>`now()`)
      .where((eb) => eb.or([eb('lease_until', 'is', null), eb('lease_until', '<', sql<Date>`now()`)]))
      .orderBy('next_attempt_at')
      .limit(BATCH)
      .execute(),
  );
}

function dueEntries(deps: VaultDeps) {
  return deps.database.system((tx) =>
    tx
      .selectFrom('entries')
      .select(['tenant_id', 'id'])
      .where('next_rotation_at', '<=', sql<Date>`now()`)
      .where('status', '=', 'active')
      .where('rotation_state', '=', 'idle')
      .orderBy('next_rotation_at')
      .limit(BATCH)
      .execute(),
  );
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
