import { setTimeout as pause } from 'node:timers/promises';
import { CliProblem } from './cli-problem.ts';

/**
 * Reads until `done`, at most `timeoutMs`, and answers what was read last, done or not. A passing failure of
 * the server (429, 503) is waited out like any other "not yet".
 */
export async function pollUntil<T>(
  read: () => Promise<T>,
  done: (value: T) => boolean,
  { timeoutMs, everyMs }: { readonly timeoutMs: number; readonly everyMs: number },
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    let waitMs = everyMs;
    try {
      const value = await read();
      if (done(value) || Date.now() + waitMs > deadline) return value;
    } catch (error) {
      if (!(error instanceof CliProblem) || (error.status !== 429 && error.status !== 503)) throw error;
      waitMs = Math.max(everyMs, (error.problem.retryAfterSeconds ?? 0) * 1000);
      if (Date.now() + waitMs > deadline) throw error;
    }
    await pause(waitMs);
  }
}
