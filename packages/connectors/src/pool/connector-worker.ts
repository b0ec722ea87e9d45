import type { ConnectorContext, DiscoveredAccount } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { TARGET_LIMITS } from '../limits.ts';
import { type Answer, type Loss, lostOutcome } from './lost-outcome.ts';
import { type Call, type FromWorker, MAX_JOB_ANSWER_BYTES, results } from './messages.ts';
import type { ConnectorPoolOptions } from './pool-options.ts';
import { usageOf } from './process-usage.ts';
import { startWorkerProcess, type WorkerProcess } from './worker-process.ts';

const WATCH_EVERY_MS = 100;
/** A worker is ended after this number of jobs or this much CPU time. */
const MAX_JOBS = 100;
const MAX_LIFETIME_CPU_MS = 60_000;

interface RunningJob {
  readonly call: Call;
  readonly ctx: ConnectorContext;
  readonly startedAtMs: number;
  readonly settle: (answer: () => Answer) => void;
  readonly accounts: DiscoveredAccount[];
  answerBytes: number;
  /** The worker has got permission to change the target. */
  changing: boolean;
  cpuAtStartMs?: number;
  timer?: NodeJS.Timeout;
  watch?: NodeJS.Timeout;
}

/**
 * One worker with at most one job. A worker that exceeds a limit or sends an invalid answer is killed, and
 * its job fails.
 */
export class ConnectorWorker {
  readonly tenantId: string;
  readonly #options: Required<ConnectorPoolOptions>;
  readonly #process: WorkerProcess;
  readonly #onEnd: (worker: ConnectorWorker) => void;
  #started = false;
  #lost = false;
  #job: RunningJob | undefined;
  #jobs = 0;
  #cpuMs = 0;

  /**
   * A worker serves one tenant for its whole life, so that a compromised process affects no other tenant.
   */
  constructor(
    tenantId: string,
    options: Required<ConnectorPoolOptions>,
    onEnd: (worker: ConnectorWorker) => void,
  ) {
    this.tenantId = tenantId;
    this.#options = options;
    this.#onEnd = onEnd;
    this.#process = startWorkerProcess({
      onMessage: (message) => this.#take(message),
      onBad: () => this.#lose('answer'),
      onBytes: (bytes) => this.#count(bytes),
      onEnd: (signal) => this.#ended(signal),
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The worker is being killed; `onEnd` follows. */
  get isLost(): boolean {
    return this.#lost;
  }

  get mayStay(): boolean {
    return this.#jobs < MAX_JOBS && this.#cpuMs < MAX_LIFETIME_CPU_MS;
  }

  /** Runs a job. Always settles: with the answer, or with the outcome for a lost worker. */
  async run(call: Call, ctx: ConnectorContext): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const settle = (answer: () => Answer) => {
      this.#job = undefined;
      try {
        resolve(answer());
      } catch (error) {
        reject(error);
      }
    };
    const startedAtMs = performance.now();
    const job: RunningJob = { call, ctx, startedAtMs, settle, accounts: [], answerBytes: 0, changing: false };
    this.#job = job;
    this.#jobs += 1;
    const onAbort = () => this.#lose('cancelled');
    ctx.signal.addEventListener('abort', onAbort, { once: true });
    if (this.#started) this.#begin(job);
    else job.timer = setTimeout(() => this.#lose('start'), this.#options.startMs);
    try {
      return await promise;
    } finally {
      ctx.signal.removeEventListener('abort', onAbort);
      clearTimeout(job.timer);
      clearInterval(job.watch);
    }
  }

  kill(loss: Loss): void {
    this.#lose(loss);
  }

  #begin(job: RunningJob): void {
    const { allow, connectTimeoutMs, operationTimeoutMs } = job.ctx;
    clearTimeout(job.timer);
    job.timer = setTimeout(() => this.#lose('time'), operationTimeoutMs + this.#options.graceMs);
    job.watch = setInterval(() => void this.#watch(job), WATCH_EVERY_MS);
    void this.#watch(job);
    this.#process.send({
      kind: 'job',
      call: job.call,
      context: { allow, connectTimeoutMs, operationTimeoutMs },
    });
  }

  async #watch(job: RunningJob): Promise<void> {
    const usage = this.pid === undefined ? undefined : await usageOf(this.pid);
    if (usage === undefined || this.#job !== job) return;
    this.#cpuMs = usage.cpuMs;
    job.cpuAtStartMs ??= usage.cpuMs;
    if (usage.memoryBytes > this.#options.memoryBytes) this.#lose('memory');
    else if (usage.cpuMs - job.cpuAtStartMs > this.#options.cpuMs) this.#lose('cpu');
  }

  #take(message: FromWorker): void {
    const job = this.#job;
    if (message.kind === 'ready' && !this.#started) {
      this.#started = true;
      if (job) this.#begin(job);
      return;
    }
    if (job === undefined || !this.#started) return this.#lose('answer');
    switch (message.kind) {
      case 'may-change':
        return void this.#allowChange(job);
      case 'accounts':
        job.accounts.push(...message.accounts);
        if (job.call.operation !== 'discover' || job.accounts.length > TARGET_LIMITS.accounts)
          this.#lose('answer');
        return;
      case 'result':
        return this.#finish(job, message.result);
      case 'error': {
        const hint = message.hint === undefined ? {} : { hint: message.hint };
        return job.settle(() => {
          throw new ConnectorError(message.error, message.message, hint);
        });
      }
      default:
        return this.#lose('answer');
    }
  }

  #finish(job: RunningJob, given: unknown): void {
    const { operation } = job.call;
    if (operation === 'discover') return job.settle(() => job.accounts);
    const result = results[operation].safeParse(given);
    if (!result.success) return this.#lose('answer');
    job.settle(() => result.data);
  }

  /** After an answer above 0 the change counts as sent: the worker may be killed at any moment. */
  async #allowChange(job: RunningJob): Promise<void> {
    if (job.call.operation !== 'rotate') return this.#lose('answer');
    const forMs = job.ctx.mayChange === undefined ? job.ctx.operationTimeoutMs : await job.ctx.mayChange();
    if (this.#job !== job) return;
    if (forMs > 0) job.changing = true;
    this.#process.send({ kind: 'may-change', forMs });
  }

  #count(bytes: number): void {
    const job = this.#job;
    if (job === undefined) return;
    job.answerBytes += bytes;
    if (job.answerBytes > MAX_JOB_ANSWER_BYTES) this.#lose('answer');
  }

  #lose(loss: Loss): void {
    this.#lost = true;
    this.#process.kill();
    const job = this.#job;
    job?.settle(() => lostOutcome(job.call, loss, job.changing, job.startedAtMs));
  }

  #ended(signal: NodeJS.Signals | null): void {
    const loss = signal === 'SIGABRT' ? 'memory' : signal === 'SIGXCPU' ? 'cpu' : 'ended';
    this.#lose(loss);
    this.#onEnd(this);
  }
}
