import { ClavigerError } from '@claviger/errors';

const MAX_WAITING = 2_000;

export interface Turns {
  /** Runs the work when fewer than the limit run for this key. Throws `rate_limited` when too many wait. */
  take<T>(key: string, work: () => Promise<T>): Promise<T>;
}

/** Limits parallel calls for each key; further calls wait in order. Idle keys use no memory. */
export function createTurns(atOnce: number): Turns {
  const keys = new Map<string, { running: number; readonly waiting: (() => void)[] }>();
  return {
    take: async (key, work) => {
      const state = keys.get(key) ?? { running: 0, waiting: [] };
      keys.set(key, state);
      if (state.running < atOnce) state.running += 1;
      else {
        if (state.waiting.length >= MAX_WAITING)
          throw new ClavigerError('rate_limited', 'There were too many requests.', { retryAfterSeconds: 1 });
        const { promise, resolve } = Promise.withResolvers<void>();
        state.waiting.push(resolve);
        // The finished call passes its place to the next one.
        await promise;
      }
      try {
        return await work();
      } finally {
        const next = state.waiting.shift();
        if (next) next();
        else {
          state.running -= 1;
          if (state.running === 0) keys.delete(key);
        }
      }
    },
  };
}
