import { Worker } from 'node:worker_threads';
import type { SignedTreeHead } from '@claviger/merkle';
import type { AuditConfig } from '../../config.ts';
import type { ClaimedReport } from './claimed-report.ts';

/** Input of a report thread; plain data. The thread opens its own connections from the configuration. */
export interface ThreadedReport {
  readonly config: AuditConfig;
  readonly report: ClaimedReport;
  /** Newest head of the tenant in the heads file. */
  readonly newestHead: SignedTreeHead | undefined;
  readonly headsProblem: string | undefined;
}

const HEAP_MB = 512;
/** Time for a stopped thread to end its transaction and remove its folder. */
const STOP_WITHIN_MS = 10_000;

/**
 * Makes one package in its own thread, because packing and hashing would block the event loop for seconds.
 * Resolves when the thread has ended; rejects when the thread exceeds its memory limit or fails to start.
 */
export async function makeInThread(threaded: ThreadedReport, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const thread = new Worker(new URL('./report-thread.ts', import.meta.url), {
    workerData: threaded,
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    thread.postMessage('stop');
    timer = setTimeout(() => void thread.terminate(), STOP_WITHIN_MS);
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      thread.once('error', reject);
      thread.once('exit', () => resolve());
    });
  } finally {
    signal.removeEventListener('abort', stop);
    clearTimeout(timer);
  }
}
