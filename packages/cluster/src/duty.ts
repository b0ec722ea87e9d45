import { randomInt } from 'node:crypto';
import { alignDelay, type Logger } from '@claviger/service-kit';
import { dutyPauseMs } from './election-rules.ts';
import type { Leadership } from './leadership.ts';

/**
 * During this time after the start, failures are expected because other services start too; they are not
 * warned about.
 */
const STARTING_SECONDS = 30;
/** Longest wait of a replica that is not the leader before it checks again. */
const HOLD_CHECK_MS = 1_000;

/** The backlog of a duty. */
export interface DutyLag {
  readonly waiting: number;
  /** Age of the oldest item, in milliseconds. */
  readonly oldestMs: number;
}

/** The state of a duty on this replica. */
export interface DutyState extends Partial<DutyLag> {
  readonly name: string;
  readonly runs: number;
  readonly failures: number;
  /** Epoch milliseconds. */
  readonly lastRunAt?: number;
}

/** The interface between a duty and its cluster. */
export interface DutyHost {
  readonly logger: Logger;
  leadership(): Leadership | undefined;
  /** Registers a duty. `duty.wake` is called when this replica becomes the leader. */
  add(duty: HostedDuty): void;
  remove(duty: HostedDuty): void;
}

export interface HostedDuty {
  readonly name: string;
  wake(): void;
  /** Resolves when the current run has ended. */
  settled(): Promise<void>;
  state(): DutyState;
  measure(): Promise<void>;
}

export interface DutyOptions {
  readonly cluster: DutyHost;
  /** The name for operators, e.g. `rotation sweep`. */
  readonly name: string;
  /** Pause between runs, with jitter. */
  readonly everyMs: number;
  /**
   * One run. Its write transactions must call `leadership.assert(tx)`; longer work must observe
   * `leadership.signal`. Returns `nextInMs` to replace `everyMs` once; 0 runs again at once.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: most runs have nothing to say
  readonly run: (leadership: Leadership) => Promise<{ readonly nextInMs: number } | void>;
  /** The backlog for the cluster status; called every few seconds while this replica leads. */
  readonly lag?: () => Promise<DutyLag>;
}

export interface Duty extends AsyncDisposable {
  /** Runs soon instead of after the pause. No effect unless this replica leads. */
  wake(): void;
}

/**
 * Runs recurring work on the leader only. A failed run is repeated after a growing pause. When the leadership
 * is lost, the signal aborts; no run begins before the last one has ended.
 */
export function startDuty(options: DutyOptions): Duty {
  const { cluster, name } = options;
  const stop = new AbortController();
  let woken = false;
  let wakeUp: (() => void) | undefined;
  let running: Promise<void> = Promise.resolve();
  let state: DutyState = { name, runs: 0, failures: 0 };
  let lag: DutyLag | undefined;
  let warnedAt: number | undefined;

  const wake = (): void => {
    woken = true;
    wakeUp?.();
  };
  const pause = async (ms: number): Promise<void> => {
    if (woken || stop.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, alignDelay(ms));
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    wakeUp = undefined;
  };

  /** Returns the pause until the next run. */
  const runOnce = async (leadership: Leadership): Promise<number> => {
    try {
      const answer = await options.run(leadership);
      if (state.failures > 0)
        cluster.logger.info({ duty: name, after: state.failures }, 'the duty works again');
      warnedAt = undefined;
      state = { name, runs: state.runs + 1, failures: 0, lastRunAt: Date.now() };
      return answer?.nextInMs ?? dutyPauseMs(options.everyMs, 0, random());
    } catch (error) {
      // The new leader continues the work.
      if (leadership.signal.aborted || stop.signal.aborted) return 0;
      state = { ...state, failures: state.failures + 1, lastRunAt: Date.now() };
      const { failures } = state;
      if (process.uptime() < STARTING_SECONDS) {
        const problem = error instanceof Error ? error.message : String(error);
        if (failures === 1)
          cluster.logger.info({ problem, duty: name }, 'a duty waits for other services to start');
      } else if (warnedAt === undefined || failures - warnedAt === 20) {
        warnedAt = failures;
        cluster.logger.warn({ err: error, duty: name, failures }, 'a duty failed; it is tried again');
      }
      return dutyPauseMs(Math.max(options.everyMs, 50), state.failures, random());
    }
  };

  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      woken = false;
      const leadership = cluster.leadership();
      if (!leadership?.holds()) {
        // Bounded: a lease renewed at the last moment begins no term, so nothing wakes the duty.
        await pause(HOLD_CHECK_MS);
        continue;
      }
      let pauseMs = 0;
      running = runOnce(leadership).then((ms) => {
        pauseMs = ms;
      });
      await running;
      if (pauseMs > 0 && !leadership.signal.aborted) await pause(pauseMs);
    }
  };

  const hosted: HostedDuty = {
    name,
    wake,
    settled: () => running,
    state: () => ({ ...state, ...lag }),
    measure: async () => {
      lag = cluster.leadership() ? await options.lag?.() : undefined;
    },
  };
  cluster.add(hosted);
  const looping = loop();
  return {
    wake,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      wake();
      await looping;
      cluster.remove(hosted);
    },
  };
}

const random = (): number => randomInt(1_000) / 1_000;
