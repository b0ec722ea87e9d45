import type { Leadership } from '@claviger/cluster';
import type { JobQueues } from '@claviger/jobs';
import { sql } from 'kysely';
import type { ComplianceDeps } from '../compliance-deps.ts';
import { buildReportJob } from './build-report-job.ts';

const BATCH = 20;

export interface ReportWorker extends AsyncDisposable {
  /** Takes up what no job woke anybody for. */
  sweep(leadership: Leadership): Promise<void>;
}

export type MakeReport = (tenantId: string, reportId: string, signal: AbortSignal) => Promise<void>;

/**
 * Has packages made, each once in this process: those that the job queue wakes it for in every replica, those left over in the
 * leading one.
 */
export function startReportWorker(
  deps: Pick<ComplianceDeps, 'config' | 'database' | 'logger'>,
  queues: JobQueues,
  make: MakeReport,
): ReportWorker {
  const stop = new AbortController();
  const running = new Map<string, Promise<void>>();
  const run = (tenantId: string, reportId: string): Promise<void> => {
    const known = running.get(reportId);
    if (known) return known;
    const started = make(tenantId, reportId, stop.signal).finally(() => running.delete(reportId));
    running.set(reportId, started);
    return started;
  };
  queues.work(buildReportJob, async ({ reportId }, { tenantId }) => {
    if (!stop.signal.aborted) await run(tenantId, reportId);
  });
  return {
    sweep: async (leadership) => {
      const due = await deps.database.system((tx) =>
        tx
          .selectFrom('compliance_reports')
          .select(['tenant_id', 'id'])
          .where('next_attempt_at', '<=', sql<Date>`now() - interval '2 seconds'`)
          .where((eb) => eb.or([eb('lease_until', 'is', null), eb('lease_until', '<', sql<Date>`now()`)]))
          .orderBy('next_attempt_at')
          .limit(BATCH)
          .execute(),
      );
      for (const { tenant_id, id } of due) {
        if (leadership.signal.aborted || running.size >= deps.config.concurrency) return;
        // Not awaited: the other duties of the leader go on meanwhile. Its lease, not the leadership, is what it works under.
        void run(tenant_id, id).catch((error: unknown) =>
          deps.logger.warn({ err: error, reportId: id }, 'a compliance report could not be taken up'),
        );
      }
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await Promise.allSettled(running.values());
    },
  };
}
