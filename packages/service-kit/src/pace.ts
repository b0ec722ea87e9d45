import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** Below this share of idle processor time the machine has none to spare. */
const SPARE = 0.3;
/** Where so much is idle during a rest, the work can have the machine. */
const FREE = 0.5;
/** Processor times are counted in steps of 10 ms: a shorter time says little. */
const WINDOW_MS = 200;
/** For so long nothing rests on a machine that was free during a rest. */
const FREE_FOR_MS = 1_000;
/**
 * A rest is so many times as long as the stretch before it. With one, the calls of others took twice as long.
 */
const REST = 2;

/** Lets long work of many short stretches step back on a busy machine. */
export interface Pace {
  /**
   * Called between two stretches. While others need the machine it rests for twice the time of the stretch
   * before, so that the work takes a third of the time at most; else it returns at once. Where the work alone
   * keeps the machine busy, a rest each second shows that nobody else needs it.
   */
  rest(): Promise<void>;
}

export interface PaceOptions {
  /** Default 500. */
  readonly longestRestMs?: number;
  /** Of this machine when absent. */
  readonly processorTimes?: () => ProcessorTimes;
}

/** Of all processors since the machine started, in milliseconds. */
export interface ProcessorTimes {
  readonly idle: number;
  readonly all: number;
}

/** For one piece of work, whose first stretch begins now. */
export function createPace(options: PaceOptions = {}): Pace {
  const { longestRestMs = 500, processorTimes = ofThisMachine } = options;
  const isBusy = watchMachine(processorTimes);
  let beganMs = performance.now();
  let freeUntilMs = 0;
  return {
    async rest() {
      const nowMs = performance.now();
      if (nowMs >= freeUntilMs && isBusy()) {
        const before = processorTimes();
        // A rest keeps no process from ending.
        await delay(Math.min(REST * (nowMs - beganMs), longestRestMs), undefined, { ref: false });
        if (idleShare(before, processorTimes()) >= FREE) freeUntilMs = performance.now() + FREE_FOR_MS;
      }
      beganMs = performance.now();
    },
  };
}

/**
 * Tells whether the machine was busy in the last window that has ended; before the first one, since it began.
 */
function watchMachine(processorTimes: () => ProcessorTimes): () => boolean {
  let [sinceMs, since] = [performance.now(), processorTimes()];
  let isBusy: boolean | undefined;
  return () => {
    if (isBusy !== undefined && performance.now() - sinceMs < WINDOW_MS) return isBusy;
    const times = processorTimes();
    isBusy = idleShare(since, times) < SPARE;
    [sinceMs, since] = [performance.now(), times];
    return isBusy;
  };
}

/** One where no time has passed. */
function idleShare(from: ProcessorTimes, to: ProcessorTimes): number {
  const all = to.all - from.all;
  return all > 0 ? (to.idle - from.idle) / all : 1;
}

function ofThisMachine(): ProcessorTimes {
  let [idle, all] = [0, 0];
  for (const { times } of cpus()) {
    idle += times.idle;
    for (const time of Object.values(times)) all += time;
  }
  return { idle, all };
}
