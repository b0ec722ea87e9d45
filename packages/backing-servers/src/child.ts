import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Account } from './account.ts';

/** How a child ended. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A long-running child process. */
export interface Child {
  readonly pid: number;
  /** Resolves when the child has ended; never rejects. */
  readonly exited: Promise<ChildExit>;
  /** The exit status after the end. */
  readonly exit: ChildExit | undefined;
  /** Sends a signal; `false` if the child has already exited. */
  kill(signal: NodeJS.Signals): boolean;
  /** Sends a signal, waits at most `timeoutMs`, then sends SIGKILL. Resolves when the child has exited. */
  stop(signal: NodeJS.Signals, timeoutMs: number): Promise<ChildExit>;
}

export interface StartChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Standard output and standard error are appended here (mode 0600). */
  readonly logFile: string;
  readonly account?: Account | undefined;
  /** The signal for the child if this process dies without stopping it (Linux only). */
  readonly signalOnParentDeath: NodeJS.Signals;
}

const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

/**
 * Starts a child in its own process group, so that a Ctrl-C in the terminal reaches only the supervisor,
 * which then stops its children in order. On Linux the kernel signals the child when the supervisor is
 * killed. Throws when the program cannot be started.
 */
export async function startChild(options: StartChildOptions): Promise<Child> {
  await mkdir(dirname(options.logFile), { recursive: true });
  const log = await open(options.logFile, 'a', 0o600);
  try {
    const tethered = process.platform === 'linux' && setpriv !== undefined;
    const { account } = options;
    const identity =
      account === undefined
        ? []
        : ['--reuid', String(account.uid), '--regid', String(account.gid), '--clear-groups'];
    const child: ChildProcess = tethered
      ? spawn(
          setpriv,
          [
            ...identity,
            '--no-new-privs',
            '--pdeathsig',
            options.signalOnParentDeath.slice(3),
            '--',
            options.command,
            ...options.args,
          ],
          { cwd: options.cwd, env: options.env, stdio: ['ignore', log.fd, log.fd], detached: true },
        )
      : spawn(options.command, [...options.args], {
          cwd: options.cwd,
          env: options.env,
          stdio: ['ignore', log.fd, log.fd],
          detached: true,
          ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
        });
    return await watch(child);
  } finally {
    await log.close();
  }
}

async function watch(child: ChildProcess): Promise<Child> {
  let exit: ChildExit | undefined;
  const exited = new Promise<ChildExit>((resolve) => {
    child.once('exit', (code, signal) => {
      exit = { code, signal };
      resolve(exit);
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  child.on('error', () => {}); // kill() of a process that has just ended
  return {
    pid: child.pid!,
    exited,
    get exit() {
      return exit;
    },
    kill: (signal) => exit === undefined && child.kill(signal),
    async stop(signal, timeoutMs) {
      if (exit !== undefined) return exit;
      child.kill(signal);
      // A paused process does not receive SIGTERM before it continues.
      child.kill('SIGCONT');
      const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
      try {
        return await exited;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
