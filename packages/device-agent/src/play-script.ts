import { setTimeout as pause } from 'node:timers/promises';
import { CliProblem } from '@claviger/api-client/cli-problem';
import type { AgentLog } from './agent-log.ts';
import type { PromptStep, ScriptStep } from './agent-script.ts';
import type { Done } from './command-journal.ts';
import type { Device } from './device.ts';
import { firstLine } from './persist.ts';
import type { Simulation } from './serve-commands.ts';

const POLL_MS = 1_000;
/** Final statuses. */
const ENDED = new Set(['denied', 'expired', 'revoked', 'ignored']);

export interface Player extends Simulation {
  /** Plays the steps in order; returns how many failed. */
  play(steps: readonly ScriptStep[], signal: AbortSignal): Promise<number>;
}

/** Plays the user of the device: reports prompts and waits as the script says. */
export function createPlayer(device: Device, log: AgentLog): Player {
  const shown = new Map<string, PromptStep>();
  const reported = new Set<string>();
  let wake = Promise.withResolvers<void>();

  const report = async (step: PromptStep, signal: AbortSignal): Promise<boolean> => {
    const { subject_username: who, target_executable_path: what } = step.prompt;
    if (!(await device.capturesPrompts(signal))) {
      log('not-captured', `${what}: prompts are not captured here`, { path: what });
      return true;
    }
    const { id, status } = await device.report(step.prompt, signal);
    log('reported', `${what} for ${who}: ${status}${id === undefined ? '' : ` (${id})`}`, {
      id: id ?? null,
      status,
      path: what,
    });
    if (id === undefined) return true;
    shown.set(id, step);
    return step.await === 'none' || awaitEnd(id, step, signal);
  };

  const awaitEnd = async (id: string, step: PromptStep, signal: AbortSignal): Promise<boolean> => {
    const until = performance.now() + step.timeoutSeconds * 1_000;
    for (;;) {
      const woken = wake.promise;
      if (reported.has(id)) return true;
      const status = await device.statusOf(id, signal);
      const decided = status !== 'pending';
      if (ENDED.has(status) || (decided && step.await === 'decision')) {
        log('decided', `${id}: ${status}`, { id, status });
        return true;
      }
      if (performance.now() > until) {
        log('gave-up', `${id} is still ${status} after ${step.timeoutSeconds} s`, { id, status });
        return false;
      }
      await Promise.race([woken, pause(POLL_MS, undefined, { signal })]);
    }
  };

  const one = async (step: ScriptStep, signal: AbortSignal): Promise<boolean> => {
    if ('pauseSeconds' in step) {
      await pause(step.pauseSeconds * 1_000, undefined, { signal });
      return true;
    }
    if ('rotateToken' in step) {
      await device.rotateToken(signal);
      log('token-rotated', 'the agent has a new token');
      return true;
    }
    return report(step, signal);
  };

  return {
    actuationOf: (id) => {
      const { outcome = 'succeeded', reportAfterSeconds = 0 } = shown.get(id) ?? {};
      const done: Done = { outcome, detail: outcome === 'succeeded' ? '' : 'as the script says' };
      return { done, reportAfterMs: reportAfterSeconds * 1_000 };
    },
    reported: (id) => {
      reported.add(id);
      wake.resolve();
      wake = Promise.withResolvers();
    },
    play: async (steps, signal) => {
      let failed = 0;
      for (const step of steps) {
        try {
          if (!(await one(step, signal))) failed += 1;
        } catch (error) {
          if (signal.aborted || !(error instanceof CliProblem) || error.status === 401) throw error;
          log('refused', firstLine(error), { code: error.code, status: error.status });
          failed += 1;
        }
      }
      return failed;
    },
  };
}
