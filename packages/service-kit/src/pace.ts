import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** Below this share of idle processor time the machine is busy. */
const SPARE = 0.3;
/** If this share is idle during a rest, no other work needs the machine. */
const FREE = 0.5;
/** Processor times have a resolution of 10 ms, so a shorter window is too imprecise. */
const WINDOW_MS = 200;
/** After a rest on a free machine, work goes on for this long without another rest. */
const FREE_FOR_MS = 1_000;
/**
 * A rest takes this many times as long as the preceding stretch. With a factor of 1, other calls took twice
 * as long.
 */
const REST = 2;

/** Lets long work that consists of short stretches yield on a busy machine. */
export interface Pace {
  /**
   * Call it between two stretches. While the machine is busy it rests for twice the time of the last
   * stretch, so the work takes at most a third of the time; otherwise it returns at once. If only this work
   * makes the machine busy, it rests once a second.
   */
  rest(): Promise<void>;
}

export interface PaceOptions {
  /** Default 500. */
  readonly longestRestMs?: number;
  /** Default: the processor times of this machine. */
  readonly processorTimes?: () => ProcessorTimes;
}

/** Sum over all processors since the machine started, in milliseconds. */
export interface ProcessorTimes {
  readonly idle: number;
  readonly all: number;
}

/** Creates the pace of one piece of work, whose first stretch begins now. */
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
        // A rest must not keep the process alive.
        await delay(Math.min(REST * (nowMs - beganMs), longestRestMs), undefined, { ref: false });
        if (idleShare(before, processorTimes()) >= FREE) freeUntilMs = performance.now() + FREE_FOR_MS;
      }
      beganMs = performance.now();
    },
  };
}

/**
 * Tells whether the machine was busy in the last completed window, or since the start before the first one
 * ends.
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

/** 1 when no time has passed. */
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
