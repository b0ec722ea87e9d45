import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { CliProblem } from '@claviger/api-client/cli-problem';
import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import type { AgentLog } from './agent-log.ts';
import type { CommandJournal, Done } from './command-journal.ts';
import type { Device } from './device.ts';
import { firstLine } from './persist.ts';

/** How the simulated device executes commands: it only reports that it did. */
export interface Simulation {
  /** The outcome of a program, and the time until the device reports it. */
  actuationOf(elevationRequestId: string): { readonly done: Done; readonly reportAfterMs: number };
  reported(elevationRequestId: string, done: Done): void;
}

export interface ServeDeps {
  readonly device: Device;
  readonly journal: CommandJournal;
  readonly simulation: Simulation;
  readonly log: AgentLog;
}

const SHORTEST_ROUND_MS = 1_000;
const REFUSED_PAUSE_MS = 5_000;

/**
 * Fetches and executes commands one at a time until `listening` aborts. A command that has begun is completed
 * unless `stopping` aborts too. Throws if the server refuses the device.
 */
export async function serveCommands(
  deps: ServeDeps,
  listening: AbortSignal,
  stopping: AbortSignal,
): Promise<void> {
  while (!listening.aborted) {
    const askedAt = performance.now();
    const commands = await deps.device.commands(listening).catch((error: unknown) => {
      if (listening.aborted) return [];
      throw error;
    });
    let refused = false;
    for (const command of commands) refused = !(await take(command, deps, stopping)) || refused;
    // Slow down for a server that answers at once without a command, or delivers the same command again.
    const soonest = refused ? REFUSED_PAUSE_MS : commands.length > 0 ? 0 : SHORTEST_ROUND_MS;
    const restMs = soonest - (performance.now() - askedAt);
    if (restMs > 0 && !listening.aborted)
      await pause(restMs + randomInt(SHORTEST_ROUND_MS), undefined, { signal: listening }).catch(() => {});
  }
}

/** Whether the server accepted the report. */
async function take(
  command: elevation.AgentCommand,
  deps: ServeDeps,
  stopping: AbortSignal,
): Promise<boolean> {
  const { device, simulation, log } = deps;
  const { id: commandId, elevationRequestId } = command;
  const done = await carryOut(command, deps, stopping);
  try {
    await device.reportOutcome(commandId, done, stopping);
  } catch (error) {
    if (!(error instanceof CliProblem) || error.status === 401) throw error;
    log('refused', `the outcome of ${commandId} was refused: ${firstLine(error)}`, {
      commandId,
      code: error.code,
    });
    return false;
  }
  log('outcome', `${commandId}: ${done.outcome}`, { commandId, elevationRequestId, ...done });
  simulation.reported(elevationRequestId, done);
  return true;
}

/** Executes the command unless it is recorded. */
async function carryOut(
  { id: commandId, type, elevationRequestId, timeoutMs }: elevation.AgentCommand,
  { journal, simulation, log }: ServeDeps,
  stopping: AbortSignal,
): Promise<Done> {
  if (!journal.begin(commandId)) {
    log('repeated', `${commandId} has come again: nothing is done`, { commandId, elevationRequestId });
    // Recorded without an outcome: the agent was killed during the command, and may or may not have acted.
    return journal.outcomeOf(commandId) ?? { outcome: 'failed', detail: 'the agent ended while it acted' };
  }
  log('command', `${type} for ${elevationRequestId}`, { commandId, type, elevationRequestId, timeoutMs });
  const { done, reportAfterMs } = act(type, elevationRequestId, simulation, log);
  journal.finish(commandId, done);
  if (reportAfterMs > 0) await pause(reportAfterMs, undefined, { signal: stopping });
  return done;
}

function act(type: string, elevationRequestId: string, simulation: Simulation, log: AgentLog) {
  switch (type) {
    case 'actuate_elevation': {
      const actuation = simulation.actuationOf(elevationRequestId);
      log('actuated', `consent.exe is let through for ${elevationRequestId} (simulated)`, {
        elevationRequestId,
      });
      return actuation;
    }
    case 'revoke_elevation':
      log('ended', `the elevation ${elevationRequestId} is ended (simulated)`, { elevationRequestId });
      return { done: { outcome: 'succeeded', detail: '' } as const, reportAfterMs: 0 };
    default:
      return {
        done: { outcome: 'failed', detail: 'this agent does not support the command' } as const,
        reportAfterMs: 0,
      };
  }
}
