import { on } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import { ClavigerError } from '@claviger/errors';
import type { Logger } from '@claviger/service-kit';
import type { FromThread, Job, JobKind, Jobs, Problem, ThreadData, ToThread } from './messages.ts';

/** Time for a stopped thread to end its transactions. */
const STOP_WITHIN_MS = 10_000;

export interface CostlyReadsOptions {
  /** Heap of the thread. Default 256. */
  readonly heapMb?: number;
  /** Time after its last job until the thread ends. Default 30,000. */
  readonly idleMs?: number;
}

/**
 * Runs searches, summaries and exports in one thread with its own connections, so that they delay neither the
 * event loop nor other calls. The pipeline limits how many costly operations run at once.
 */
export interface CostlyReads extends AsyncDisposable {
  /**
   * Yields the values of a job. The job ends when the consumer stops or the signal aborts.
   *
   * @throws {ClavigerError} the job's own error, or `unavailable` when the thread ended before the job.
   */
  values<K extends JobKind>(job: Job<K>, signal: AbortSignal): AsyncGenerator<Jobs[K]['value'], void>;
  /** Returns the value of a job that yields exactly one. */
  value<K extends Exclude<JobKind, 'export'>>(job: Job<K>, signal: AbortSignal): Promise<Jobs[K]['value']>;
  state(): { readonly jobs: number; readonly isRunning: boolean };
}

/** Starts the thread with the first job. */
export function createCostlyReads(
  data: ThreadData,
  logger: Logger,
  { heapMb = 256, idleMs = 30_000 }: CostlyReadsOptions = {},
): CostlyReads {
  let current: Worker | undefined;
  let jobs = 0;
  let idle: NodeJS.Timeout | undefined;
  const ending = new Set<Promise<void>>();

  const forget = (thread: Worker): void => {
    if (current === thread) current = undefined;
  };

  const startThread = (): Worker => {
    const thread = new Worker(new URL('./costly-thread.ts', import.meta.url), {
      name: 'costly reads',
      workerData: data,
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    });
    // Its jobs fail when their ports close.
    thread.on('error', (error) => {
      logger.error(
        { err: error },
        'the thread of searches and exports has ended; the next call starts a new one',
      );
      forget(thread);
    });
    thread.once('exit', () => forget(thread));
    return thread;
  };

  const endThread = (): void => {
    const thread = current;
    if (!thread) return;
    current = undefined;
    thread.postMessage('stop' satisfies ToThread);
    const timer = setTimeout(() => void thread.terminate(), STOP_WITHIN_MS);
    const ended = new Promise<void>((resolve) => {
      thread.once('exit', () => {
        clearTimeout(timer);
        ending.delete(ended);
        resolve();
      });
    });
    ending.add(ended);
  };

  async function* values<K extends JobKind>(job: Job<K>, signal: AbortSignal) {
    const { port1: port, port2 } = new MessageChannel();
    clearTimeout(idle);
    jobs += 1;
    try {
      current ??= startThread();
      const thread = current;
      thread.postMessage({ job, port: port2 } as ToThread, [port2]);
      const messages = on(port, 'message', { signal, close: ['close'] }) as AsyncIterable<[FromThread]>;
      for await (const [message] of messages) {
        if (message.kind === 'done') return;
        if (message.kind === 'failed') throw errorOf(message.problem);
        yield message.value as Jobs[K]['value'];
        port.postMessage('more');
      }
      // The port closed without `done`: the thread has ended, perhaps before its `exit` event.
      forget(thread);
      throw interrupted();
    } catch (error) {
      if (signal.aborted) throw callerGone(error);
      throw error;
    } finally {
      port.close();
      jobs -= 1;
      if (jobs === 0) idle = setTimeout(endThread, idleMs).unref();
    }
  }

  return {
    values,
    async value(job, signal) {
      for await (const value of values(job, signal)) return value;
      throw interrupted();
    },
    state: () => ({ jobs, isRunning: current !== undefined }),
    async [Symbol.asyncDispose]() {
      clearTimeout(idle);
      endThread();
      await Promise.all(ending);
    },
  };
}

function errorOf({ reason, message, options }: Problem): Error {
  return reason ? new ClavigerError(reason, message, options) : new Error(message, options as object);
}

function interrupted(): ClavigerError {
  return new ClavigerError('unavailable', 'The read of the audit log was interrupted.', {
    retryAfterSeconds: 1,
    hint: 'Try again.',
  });
}

function callerGone(cause: unknown): ClavigerError {
  return new ClavigerError('deadline_exceeded', 'The caller ended the call before the answer.', { cause });
}
