import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';

/** A server that only this process starts and stops. */
export interface OwnedProcess {
  readonly pid: number;
  /** Its output so far. */
  log(): string;
  running(): boolean;
  /** Sends `signal`, waits, and after 10 s kills it. */
  stop(signal: NodeJS.Signals): Promise<void>;
}

const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

interface StartOptions {
  readonly uid?: number;
  readonly gid?: number;
  /** The signal for the server when this process ends for any reason. */
  readonly killWith?: NodeJS.Signals;
}

/**
 * Starts a server in the foreground; it is signalled when this process exits without stopping it, and on
 * Linux also when this process is killed. Throws when it cannot be run.
 */
export async function startOwned(
  program: string,
  args: readonly string[],
  options: StartOptions = {},
): Promise<OwnedProcess> {
  const { killWith = 'SIGKILL' } = options;
  const child = start(program, args, options, killWith);
  await once(child, 'spawn');
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} has no process id`);
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  const running = () => child.exitCode === null && child.signalCode === null;
  const onExit = () => {
    if (running()) child.kill(killWith);
  };
  process.once('exit', onExit);
  const closed = once(child, 'close');
  return {
    pid,
    log: () => log,
    running,
    async stop(signal) {
      process.off('exit', onExit);
      if (!running()) return;
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await closed;
      clearTimeout(timer);
    },
  };
}

function start(
  program: string,
  args: readonly string[],
  { uid, gid }: StartOptions,
  killWith: NodeJS.Signals,
): ChildProcess {
  const common = {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  } satisfies SpawnOptions;
  if (process.platform !== 'linux' || setpriv === undefined)
    return spawn(program, args, {
      ...common,
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    });
  // The kernel clears the signal when the user changes, so setpriv sets both.
  const identity =
    uid === undefined || gid === undefined
      ? []
      : ['--reuid', String(uid), '--regid', String(gid), '--clear-groups'];
  return spawn(setpriv, [...identity, '--pdeathsig', killWith.slice(3), '--', program, ...args], common);
}
