import { readFileSync } from 'node:fs';
import { runProgram } from './run-program.ts';

/** A process that can be recognised later, even if its pid was reused. */
export interface ProcessIdentity {
  readonly pid: number;
  /** The start time in the system's format; only compared. */
  readonly startedAt: string;
}

/** The start time of a living process; `undefined` if none has that pid (or only a zombie). */
async function startTimeOf(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    try {
      // After the last ")": state is the first field, the start time in clock ticks the twentieth.
      const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
    } catch {
      return undefined;
    }
  }
  const answer = await runProgram('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]);
  const text = answer.stdout.trim();
  return answer.code !== 0 || text === '' || text.startsWith('Z') ? undefined : text.replace(/^\S+\s+/, '');
}

/** Identifies the process `pid`; `undefined` if it does not live. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  const startedAt = await startTimeOf(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

/** Whether the same process still lives. */
export async function isSameProcess(identity: ProcessIdentity): Promise<boolean> {
  return (await startTimeOf(identity.pid)) === identity.startedAt;
}

/** Sends a signal; `false` if the process has exited. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/**
 * Ends a process that is not our child (left by a dead supervisor): signal, wait, SIGKILL. Ignores a reused
 * pid.
 */
export async function endProcess(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
  timeoutMs: number,
): Promise<void> {
  for (const [next, waitMs] of [
    [signal, timeoutMs],
    ['SIGKILL', 10_000],
  ] as const) {
    if (!(await isSameProcess(identity))) return;
    signalProcess(identity.pid, next);
    const deadline = Date.now() + waitMs;
    while (Date.now() < deadline) {
      if (!(await isSameProcess(identity))) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  if (await isSameProcess(identity))
    throw new Error(`process ${identity.pid} does not end, even after SIGKILL`);
}
