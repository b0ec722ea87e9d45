import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A server that this process started and alone stops. */
export interface OwnedProcess {
  readonly pid: number;
  /** What it has written so far. */
  log(): string;
  running(): boolean;
  /** Sends `signal`, waits, and after 10 s kills it. */
  stop(signal: NodeJS.Signals): Promise<void>;
}

/** Starts a server in the foreground; it is killed when this process exits without stopping it. Throws when it cannot be run. */
export async function startOwned(
  program: string,
  args: readonly string[],
  options: { readonly uid?: number; readonly gid?: number; readonly killWith?: NodeJS.Signals } = {},
): Promise<OwnedProcess> {
  const { uid, gid, killWith = 'SIGKILL' } = options;
  const child: ChildProcess = spawn(program, args, {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
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
