import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { CliProblem } from '@claviger/api-client/cli-problem';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import type { AgentLog } from './agent-log.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const SPREAD_MS = 1_000;

/** Repeats a call until it is answered. */
export type Persist = <T>(ask: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/**
 * Repeats a call during rate limits, outages and lost connections, however long they last. The pauses are
 * random, because many devices lose a server at the same moment. Throws any other refusal, and the reason of
 * the signal when it aborts.
 */
export function createPersist(log: AgentLog): Persist {
  let away = false;
  return async (ask, signal) => {
    for (let failures = 0; ; failures += 1) {
      signal.throwIfAborted();
      try {
        const answer = await ask();
        if (away) log('back', 'the server answers again');
        away = false;
        return answer;
      } catch (error) {
        signal.throwIfAborted();
        if (!isPassing(error)) throw error;
        const status = error instanceof CliProblem ? error.status : undefined;
        if (!away && status !== 429) {
          log('away', `the server does not serve: ${firstLine(error)}`, { ...(status && { status }) });
          away = true;
        }
        await pause(waitMs(error, failures), undefined, { signal }).catch(() => signal.throwIfAborted());
      }
    }
  };
}

/** Whether the failure is temporary. */
function isPassing(error: unknown): error is CommandError {
  if (error instanceof CliProblem)
    return error.status === 429 || error.status >= 500 || error.code === 'request_in_progress';
  return error instanceof CommandError && error.exitCode === EXIT.error;
}

/**
 * At least the time that the server asks for; otherwise a random part of a limit that grows with each
 * attempt.
 */
export function waitMs(error: unknown, failures: number): number {
  const asked = error instanceof CliProblem ? error.problem.retryAfterSeconds : undefined;
  if (asked !== undefined) return asked * 1_000 + randomInt(SPREAD_MS);
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 10));
  return randomInt(longest / 2, longest + 1);
}

export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!;
}
