import { ClavigerError } from '@claviger/errors';
import { type CallContext, createPace } from '@claviger/service-kit';
import { EvaluationWorker, interrupted } from './evaluation-worker.ts';
import type { Item, JobKind, Jobs, RuleSetContent, Start } from './messages.ts';

export interface EvaluationPoolOptions {
  /** Maximum number of threads. Default 2. */
  readonly maxWorkers?: number;
  /** Maximum number of queued jobs. Default 20. */
  readonly maxWaiting?: number;
  /** Maximum number of idle threads. Default 1. */
  readonly maxIdle?: number;
  /** Idle time after which a thread ends. Default 30,000. */
  readonly idleMs?: number;
  /** Heap limit of a thread. Default 384. */
  readonly memoryMb?: number;
  /** A thread that does not answer is terminated this long after the end of its job. Default 5,000. */
  readonly graceMs?: number;
}

const DEFAULTS: Required<EvaluationPoolOptions> = {
  maxWorkers: 2,
  maxWaiting: 20,
  maxIdle: 1,
  idleMs: 30_000,
  memoryMb: 384,
  graceMs: 5_000,
};

/** Messages are copied on the event loop, so each one is small. */
const PER_MESSAGE = 500;
/** Reserved for writing the answer. */
const RESERVE_MS = 2_000;

export interface EvaluationJob<K extends JobKind> {
  readonly kind: K;
  readonly options: Jobs[K]['options'];
  /** Absent where the job needs no rule set. */
  readonly ruleSet?: RuleSetContent;
  /** Newest first, page by page. */
  readonly pages?: AsyncIterable<readonly Jobs[K]['item'][]>;
}

export interface EvaluationLimits {
  /** The waiting call: its cancellation and deadline apply to the job. */
  readonly call: Pick<CallContext, 'signal' | 'deadline'>;
  /** The time in which items are accepted. */
  readonly maxMs: number;
}

/** Runs replay, preview and lint in threads, so that the event loop stays free for other calls. */
export interface EvaluationPool extends AsyncDisposable {
  /**
   * Throws `deadline_exceeded` when the call was cancelled or the thread does not answer in time,
   * `payload_too_large` when it exceeds its memory limit, `rate_limited` when too many jobs wait.
   */
  run<K extends JobKind>(job: EvaluationJob<K>, limits: EvaluationLimits): Promise<Jobs[K]['report']>;
  state(): { readonly busy: number; readonly idle: number; readonly waiting: number };
}

interface Waiting {
  resolve(worker: EvaluationWorker): void;
  reject(error: Error): void;
}

/** Starts threads on demand. Disposing the pool ends all of them. */
export function createEvaluationPool(given: EvaluationPoolOptions = {}): EvaluationPool {
  const options = { ...DEFAULTS, ...given };
  /** All threads until they have exited. */
  const workers = new Set<EvaluationWorker>();
  const idle = new Map<EvaluationWorker, NodeJS.Timeout>();
  const waiting: Waiting[] = [];
  let isClosed = false;

  const leaveIdle = (worker: EvaluationWorker): void => {
    clearTimeout(idle.get(worker));
    idle.delete(worker);
  };

  const endWorker = (worker: EvaluationWorker): void => {
    leaveIdle(worker);
    worker.end(interrupted());
  };

  const onExit = (worker: EvaluationWorker): void => {
    leaveIdle(worker);
    workers.delete(worker);
    serveNext();
  };

  /** Undefined if all threads are busy. */
  const freeWorker = (): EvaluationWorker | undefined => {
    for (const worker of idle.keys()) {
      leaveIdle(worker);
      if (worker.hasEnded) continue;
      worker.keepAlive(true);
      return worker;
    }
    if (workers.size >= options.maxWorkers) return undefined;
    const worker = new EvaluationWorker(options.memoryMb, onExit);
    workers.add(worker);
    return worker;
  };

  const serveNext = (): void => {
    const [next] = waiting;
    if (!next) return;
    try {
      const worker = freeWorker();
      if (!worker) return;
      waiting.shift();
      next.resolve(worker);
    } catch (error) {
      waiting.shift();
      next.reject(interrupted(error));
    }
  };

  const release = (worker: EvaluationWorker): void => {
    if (worker.hasEnded) return;
    worker.keepAlive(false);
    idle.set(worker, setTimeout(() => endWorker(worker), options.idleMs).unref());
    serveNext();
    const [oldest] = idle.keys();
    if (oldest && idle.size > options.maxIdle) endWorker(oldest);
  };

  const takeWorker = async (signal: AbortSignal): Promise<EvaluationWorker> => {
    if (isClosed) throw interrupted();
    if (signal.aborted) throw tooLate();
    if (waiting.length >= options.maxWaiting)
      throw new ClavigerError('rate_limited', 'Too many evaluations of rules are waiting.', {
        retryAfterSeconds: 10,
      });
    const { promise, ...place } = Promise.withResolvers<EvaluationWorker>();
    const onAbort = (): void => {
      const at = waiting.indexOf(place);
      if (at < 0) return;
      waiting.splice(at, 1);
      place.reject(tooLate());
    };
    signal.addEventListener('abort', onAbort, { once: true });
    waiting.push(place);
    serveNext();
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  };

  return {
    async run<K extends JobKind>(job: EvaluationJob<K>, { call, maxMs }: EvaluationLimits) {
      const worker = await takeWorker(call.signal);
      const nowMs = Date.now();
      const untilMs = Math.min(nowMs + maxMs, call.deadline.getTime() - RESERVE_MS);
      const end = (): void => worker.end(tooLate());
      const timer = setTimeout(end, Math.max(untilMs - nowMs, 0) + options.graceMs);
      call.signal.addEventListener('abort', end, { once: true });
      try {
        if (call.signal.aborted) throw tooLate();
        return (await evaluate(worker, job, untilMs)) as Jobs[K]['report'];
      } catch (error) {
        // The thread may still hold parts of this job.
        worker.end(interrupted());
        throw error;
      } finally {
        clearTimeout(timer);
        call.signal.removeEventListener('abort', end);
        release(worker);
      }
    },
    state: () => ({
      busy: workers.size - idle.size,
      idle: idle.size,
      waiting: waiting.length,
    }),
    async [Symbol.asyncDispose]() {
      isClosed = true;
      for (const { reject } of waiting.splice(0)) reject(interrupted());
      for (const worker of workers) endWorker(worker);
    },
  };
}

async function evaluate<K extends JobKind>(
  worker: EvaluationWorker,
  { kind, options, ruleSet, pages }: EvaluationJob<K>,
  untilMs: number,
): Promise<unknown> {
  for (const rules of slicesOf(ruleSet?.rules ?? [])) await worker.ask({ kind: 'rules', rules });
  for (const entries of slicesOf(ruleSet?.softwareEntries ?? []))
    await worker.ask({ kind: 'software', entries });
  const job = { kind, options } as Start;
  await worker.ask({ kind: 'start', job, version: ruleSet?.version ?? '', untilMs });
  if (pages) await feed(worker, pages);
  return worker.ask({ kind: 'report' });
}

/** Sends the next message while the thread works on the current one, but not more. Yields between pages. */
async function feed(worker: EvaluationWorker, pages: AsyncIterable<readonly Item[]>): Promise<void> {
  const pace = createPace();
  let previous: Promise<unknown> = Promise.resolve(true);
  for await (const page of pages) {
    for (const items of page.length === 0 ? [page] : slicesOf(page)) {
      const taken = worker.ask({ kind: 'items', items });
      // If the previous message fails, this answer is never awaited.
      taken.catch(() => {});
      if ((await previous) !== true) return;
      previous = taken;
    }
    await pace.rest();
  }
  await previous;
}

function* slicesOf<T>(values: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < values.length; at += PER_MESSAGE) yield values.slice(at, at + PER_MESSAGE);
}

function tooLate(): ClavigerError {
  return new ClavigerError('deadline_exceeded', 'The rules could not be evaluated in time.', {
    hint: 'Request fewer days or fewer drafts, or try again when the load is lower.',
  });
}
