import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** Below this share of idle processor time the machine has none to spare. */
const SPARE = 0.3;
/** Processor times are counted in steps of 10 ms: a shorter time says little. */
const WINDOW_MS = 200;
/** A rest is so many times as long as the stretch before it. With one, the calls of others took twice as long. */
const REST = 2;

/** Lets long work of many short stretches step back on a busy machine. */
export interface Pace {
  /**
   * Called between two stretches. While the machine has no processor time to spare it rests for twice the time of the stretch
   * before, so that the work takes a third of the time at most; else it returns at once.
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
  let beganMs = performance.now();
  const isBusy = watchMachine(processorTimes);
  return {
    async rest() {
      const restMs = Math.min(REST * (performance.now() - beganMs), longestRestMs);
      // A rest keeps no process from ending.
      if (isBusy()) await delay(restMs, undefined, { ref: false });
      beganMs = performance.now();
    },
  };
}

/** Tells whether the machine was busy in the last window that has ended; before the first one, since it began. */
function watchMachine(processorTimes: () => ProcessorTimes): () => boolean {
  let [sinceMs, since] = [performance.now(), processorTimes()];
  let isBusy: boolean | undefined;
  return () => {
    if (isBusy !== undefined && performance.now() - sinceMs < WINDOW_MS) return isBusy;
    const times = processorTimes();
    const all = times.all - since.all;
    isBusy = all > 0 && (times.idle - since.idle) / all < SPARE;
    [sinceMs, since] = [performance.now(), times];
    return isBusy;
  };
}

function ofThisMachine(): ProcessorTimes {
  let [idle, all] = [0, 0];
  for (const { times } of cpus()) {
    idle += times.idle;
    for (const time of Object.values(times)) all += time;
  }
  return { idle, all };
}
