import type { Leadership } from '@claviger/cluster';
import type { JobQueues } from '@claviger/jobs';
import type { ComplianceDeps } from '../deps.ts';
import { buildReportJob } from './build-report-job.ts';
import { claimNext } from './claim-next.ts';
import type { ClaimedReport } from './claimed-report.ts';
import { requeueReport } from './lease.ts';

/** A report that has waited longer than this counts as one whose job was lost. */
const OVERDUE_SECONDS = 2;

export interface ReportWorker extends AsyncDisposable {
  /** Makes reports whose job is lost or whose lease has expired. */
  sweep(leadership: Leadership): Promise<void>;
}

export type MakeReport = (report: ClaimedReport, signal: AbortSignal) => Promise<void>;

/**
 * Makes due packages one after the other until none is due; tenants take turns. Each replica starts when the
 * job queue wakes it; the leader also sweeps.
 */
export function startReportWorker(
  deps: Pick<ComplianceDeps, 'config' | 'database' | 'logger' | 'node'>,
  queues: JobQueues,
  make: MakeReport,
): ReportWorker {
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  const makeOne = async (report: ClaimedReport): Promise<void> => {
    try {
      await make(report, stop.signal);
    } catch (error) {
      deps.logger.warn(
        { err: error, reportId: report.id },
        'a compliance report could not be made; it is retried',
      );
      return requeueReport(deps, report);
    }
    // Release the lease so that another replica continues at once.
    if (stop.signal.aborted) await requeueReport(deps, report);
  };
  const makeAll = async (first?: ClaimedReport): Promise<void> => {
    let report = first ?? (await claimNext(deps));
    while (report !== undefined) {
      await makeOne(report);
      report = stop.signal.aborted ? undefined : await claimNext(deps);
    }
  };
  const start = (first?: ClaimedReport): Promise<void> => {
    const making = makeAll(first).finally(() => running.delete(making));
    running.add(making);
    return making;
  };
  queues.work(buildReportJob, async () => {
    if (!stop.signal.aborted) await start();
  });
  return {
    sweep: async (leadership) => {
      if (leadership.signal.aborted || running.size >= deps.config.concurrency) return;
      const report = await claimNext(deps, OVERDUE_SECONDS);
      if (report === undefined) return;
      // Do not await the work, so that the other duties of the leader continue. The lease fences it, not the
      // term of the leader.
      void start(report).catch((error: unknown) =>
        deps.logger.warn({ err: error }, 'overdue compliance reports could not be claimed'),
      );
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await Promise.allSettled(running);
    },
  };
}
