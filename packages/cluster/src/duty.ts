import { randomInt } from 'node:crypto';
import type { Logger } from '@claviger/service-kit';
import { dutyPauseMs } from './election-rules.ts';
import type { Leadership } from './leadership.ts';

/** Until then whatever a duty needs may be starting too: no warning in the log of a healthy start. */
const STARTING_SECONDS = 30;
/** How long a replica that does not lead, or cannot tell, waits at most before it looks again. */
const HOLD_CHECK_MS = 1_000;

/** What waits to be done by a duty. */
export interface DutyLag {
  readonly waiting: number;
  /** Age of the oldest that waits, in milliseconds. */
  readonly oldestMs: number;
}

/** How a duty stands on this replica. */
export interface DutyState extends Partial<DutyLag> {
  readonly name: string;
  readonly runs: number;
  readonly failures: number;
  /** Epoch milliseconds. */
  readonly lastRunAt?: number;
}

/** What a duty needs of a cluster, and the cluster of it. */
export interface DutyHost {
  readonly logger: Logger;
  leadership(): Leadership | undefined;
  /** Calls `duty.wake` when this replica begins to lead. */
  add(duty: HostedDuty): void;
  remove(duty: HostedDuty): void;
}

export interface HostedDuty {
  readonly name: string;
  wake(): void;
  /** Resolves when the run that is under way has ended. */
  settled(): Promise<void>;
  state(): DutyState;
  measure(): Promise<void>;
}

export interface DutyOptions {
  readonly cluster: DutyHost;
  /** As operators read it, e.g. `rotation sweep`. */
  readonly name: string;
  /** Between the end of a run and the next, with jitter. */
  readonly everyMs: number;
  /**
   * One run. Its writes go in transactions that call `leadership.assert(tx)`; longer work heeds `leadership.signal`.
   * Answers `nextInMs` when the next run is not to wait for `everyMs`; 0 runs again at once.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: most runs have nothing to say
  readonly run: (leadership: Leadership) => Promise<{ readonly nextInMs: number } | void>;
  /** What waits, for the status of the cluster; asked every few seconds while this replica leads. */
  readonly lag?: () => Promise<DutyLag>;
}

export interface Duty extends AsyncDisposable {
  /** Runs soon instead of after the pause. Nothing happens where this replica does not lead. */
  wake(): void;
}

/**
 * Runs something on the one replica that leads, again and again. A run that fails is tried again after a growing pause;
 * when the leadership is lost, its signal aborts, and no run begins here before the last has ended.
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
      const timer = setTimeout(resolve, ms);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    wakeUp = undefined;
  };

  /** Answers the pause after it. */
  const runOnce = async (leadership: Leadership): Promise<number> => {
    try {
      const answer = await options.run(leadership);
      if (state.failures > 0)
        cluster.logger.info({ duty: name, after: state.failures }, 'the duty works again');
      warnedAt = undefined;
      state = { name, runs: state.runs + 1, failures: 0, lastRunAt: Date.now() };
      return answer?.nextInMs ?? dutyPauseMs(options.everyMs, 0, random());
    } catch (error) {
      // Whoever leads now goes on with it.
      if (leadership.signal.aborted || stop.signal.aborted) return 0;
      state = { ...state, failures: state.failures + 1, lastRunAt: Date.now() };
      const { failures } = state;
      if (process.uptime() < STARTING_SECONDS) {
        const problem = error instanceof Error ? error.message : String(error);
        if (failures === 1) cluster.logger.info({ problem, duty: name }, 'a duty waits while others start');
      } else if (warnedAt === undefined || failures - warnedAt === 20) {
        warnedAt = failures;
        cluster.logger.warn(
          { err: error, duty: name, failures },
          'a duty failed; nothing is lost, it is tried again',
        );
      }
      return dutyPauseMs(Math.max(options.everyMs, 50), state.failures, random());
    }
  };

  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      woken = false;
      const leadership = cluster.leadership();
      if (!leadership?.holds()) {
        // Bounded: a lease that is renewed just in time begins no term, and so nothing wakes the duty.
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
