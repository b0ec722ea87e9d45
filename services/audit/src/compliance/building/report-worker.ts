import type { Leadership } from '@claviger/cluster';
import type { JobQueues } from '@claviger/jobs';
import type { ComplianceDeps } from '../deps.ts';
import { buildReportJob } from './build-report-job.ts';
import { claimNext } from './claim-next.ts';
import type { ClaimedReport } from './claimed-report.ts';
import { putBack } from './lease.ts';

/** What waits for longer was missed by its job. */
const OVERDUE_SECONDS = 2;

export interface ReportWorker extends AsyncDisposable {
  /** Takes up what no job woke anybody for. */
  sweep(leadership: Leadership): Promise<void>;
}

export type MakeReport = (report: ClaimedReport, signal: AbortSignal) => Promise<void>;

/**
 * Has packages made, one after the other in the turns of their tenants, until none is due: in every replica
 * when the job queue wakes it, in the leading one for what was left over.
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
        'a compliance report could not be made; it is tried again',
      );
      return putBack(deps, report);
    }
    // Another replica goes on with what this one leaves, without waiting for the end of the lease.
    if (stop.signal.aborted) await putBack(deps, report);
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
      // Not awaited: the other duties of the leader go on meanwhile. Its lease, not the leadership, is what
      // it works under.
      void start(report).catch((error: unknown) =>
        deps.logger.warn({ err: error }, 'compliance reports could not be taken up'),
      );
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await Promise.allSettled(running);
    },
  };
}
