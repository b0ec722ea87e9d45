import { readdirSync, readFileSync } from 'node:fs';

/** Has a server and all processes that it started stand still, wherever they are, until this is disposed. Linux. */
export function freeze(pid: number): Disposable {
  const stopped: number[] = [];
  const stop = (each: number): void => {
    stopped.push(each);
    signal(each, 'SIGSTOP');
  };
  // The server itself first: then it starts no more of them.
  stop(pid);
  for (const child of childrenOf(pid)) stop(child);
  return {
    [Symbol.dispose]: () => {
      for (const each of stopped) signal(each, 'SIGCONT');
    },
  };
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // One that has ended meanwhile stands still for ever.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => parentOf(name) === pid)
    .map(Number);
}

/** undefined of a process that has ended meanwhile. */
function parentOf(pid: string): number | undefined {
  try {
    // "pid (name) state parent …": a name may hold anything, also brackets.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}
