import { Worker } from 'node:worker_threads';
import type { SignedTreeHead } from '@claviger/merkle';
import type { AuditConfig } from '../../config.ts';
import type { ClaimedReport } from './claimed-report.ts';

/** What a thread makes a package with; plain data. It opens connections of its own from the configuration. */
export interface ThreadedReport {
  readonly config: AuditConfig;
  readonly report: ClaimedReport;
  /** Of the tenant, kept outside the database. */
  readonly newestHead: SignedTreeHead | undefined;
  readonly headsProblem: string | undefined;
}

const HEAP_MB = 512;
/** A thread that was told to stop ends its transaction and removes its folder. */
const STOP_WITHIN_MS = 10_000;

/**
 * Makes one package in a thread of its own, so that the event loop goes on serving the log meanwhile: packing and hashing take
 * seconds. Resolves when the thread has ended. Throws when it passed its memory or failed to start.
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
