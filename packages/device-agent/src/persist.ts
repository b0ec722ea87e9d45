import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { CliProblem } from '@claviger/api-client/cli-problem';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import type { AgentLog } from './agent-log.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const SPREAD_MS = 1_000;

/** Asks until there is an answer. */
export type Persist = <T>(ask: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/**
 * For an agent that nobody watches: waits out limits, outages and lost connections for as long as they last.
 * Many devices lose one server at the same moment, so that each waits for a time of its own. Any other
 * refusal is thrown, and so is the signal's reason when it aborts.
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

/** What may be over later by itself. */
function isPassing(error: unknown): error is CommandError {
  if (error instanceof CliProblem)
    return error.status === 429 || error.status >= 500 || error.code === 'request_in_progress';
  return error instanceof CommandError && error.exitCode === EXIT.error;
}

/**
 * Never sooner than the server asks for; without its word longer each time, and spread over the whole of it.
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
