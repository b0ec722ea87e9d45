import { type ChildProcess, spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { readFrames, writeFrame } from './frames.ts';
import { type FromWorker, fromWorkerSchema, MAX_ANSWER_BYTES, type ToWorker } from './messages.ts';

/** Limit of the JavaScript heap; buffers count against the memory of the process. */
const HEAP_MB = 128;
/** CPU time of all jobs of a worker. The kernel enforces it, even if the service has died. */
const LIFETIME_CPU_SECONDS = 120;

const root = realpathSync(join(import.meta.dirname, '../../../..'));
const script = join(import.meta.dirname, 'worker.ts');

/**
 * The worker reads its source and uses the network. It cannot write files, start processes, or read the keys
 * of the service that started it. Node.js restricts the network only with `--allow-net`.
 */
const flags = [
  '--no-warnings',
  `--max-old-space-size=${HEAP_MB}`,
  '--permission',
  ...['packages/connectors', 'packages/outbound', 'packages/postgres-client', 'node_modules'].map(
    (folder) => `--allow-fs-read=${realpathSync(join(root, folder))}/*`,
  ),
  ...(process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : []),
];

export interface WorkerProcess {
  readonly pid: number | undefined;
  send(message: ToWorker): void;
  kill(): void;
}

export interface WorkerEvents {
  onMessage(message: FromWorker): void;
  /** The worker sent an invalid message. */
  onBad(): void;
  onBytes(bytes: number): void;
  /** The process has exited for any reason; called once, with the signal that ended it. */
  onEnd(signal: NodeJS.Signals | null): void;
}

/**
 * Starts a worker. It is a process and not a thread: a process can be killed at any moment, but a thread
 * cannot be stopped during native code (SSH key exchange, SCRAM). The memory limit of a process includes
 * buffers, and a process shares no memory with the keys of the vault. Measured: both start in 0.2 s; a
 * process takes 115 MB, a thread 20 MB. Core dumps are off, because they would contain secrets.
 */
export function startWorkerProcess(events: WorkerEvents): WorkerProcess {
  const limits = `ulimit -c 0; ulimit -t ${LIFETIME_CPU_SECONDS}; exec "$0" "$@"`;
  const child: ChildProcess = spawn('/bin/sh', ['-c', limits, process.execPath, ...flags, script], {
    env: {},
    // Output that a target causes a driver to print is discarded.
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  // Undefined when the system has no file descriptors left; an `error` event follows.
  const channel = child.stdio?.[3] as Duplex | undefined;
  let ended = false;
  const end = (signal: NodeJS.Signals | null): void => {
    if (ended) return;
    ended = true;
    channel?.destroy();
    events.onEnd(signal);
  };
  child.once('error', () => end(null));
  child.once('exit', (_code, signal) => end(signal));
  lowerPriority(child.pid);
  if (channel === undefined) return { pid: undefined, send: () => {}, kill: () => {} };
  // `exit` reports the end.
  channel.on('error', () => {});
  channel.on('data', (chunk: Buffer) => events.onBytes(chunk.length));
  readFrames(
    channel,
    MAX_ANSWER_BYTES,
    (received) => {
      const message = fromWorkerSchema.safeParse(received);
      if (message.success) events.onMessage(message.data);
      else events.onBad();
    },
    events.onBad,
  );
  return {
    pid: child.pid,
    send: (message) => writeFrame(channel, message),
    kill: () => void child.kill('SIGKILL'),
  };
}

/** Lowers the priority of the worker, so that the service keeps its CPU time. */
function lowerPriority(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, Math.min(getPriority() + 10, 19));
  } catch {
    // The process has already exited; `exit` reports it.
  }
}
