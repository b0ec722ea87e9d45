import { type ChildProcess, spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { readFrames, writeFrame } from './frames.ts';
import { type FromWorker, fromWorkerSchema, MAX_ANSWER_BYTES, type ToWorker } from './messages.ts';

/** Heap of JavaScript; buffers count against the memory of the process. */
const HEAP_MB = 128;
/** Computing time of all jobs of a worker. The system ends it then, also when nobody watches it any more. */
const LIFETIME_CPU_SECONDS = 120;

const root = realpathSync(join(import.meta.dirname, '../../../..'));
const script = join(import.meta.dirname, 'worker.ts');

/**
 * The worker reads its source, reaches the network, and does nothing else: it writes no file, starts no
 * process, and cannot read the keys of the service that started it. Node.js without `--allow-net` restricts
 * no network.
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
  /** It sent what a worker does not send. */
  onBad(): void;
  onBytes(bytes: number): void;
  /** It is no more, by whatever cause; called once, with the signal that ended it. */
  onEnd(signal: NodeJS.Signals | null): void;
}

/**
 * Starts a worker: a process and no thread, by these reasons. A process is ended at any moment, a thread not
 * while it computes in native code (an SSH key exchange, SCRAM). Its limit of memory includes buffers. It
 * shares no memory with the keys of the vault. Measured: a process is ready after 0.2 s with 115 MB, a thread
 * after 0.2 s with 20 MB. No core dump holds its secrets.
 */
export function startWorkerProcess(events: WorkerEvents): WorkerProcess {
  const limits = `ulimit -c 0; ulimit -t ${LIFETIME_CPU_SECONDS}; exec "$0" "$@"`;
  const child: ChildProcess = spawn('/bin/sh', ['-c', limits, process.execPath, ...flags, script], {
    env: {},
    // Nothing that a target makes a driver print is read by anybody.
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  // Absent where the system has no more descriptors; the error is then told as an event.
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
  // Its end is told by `exit`.
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

/** The service goes first: what a target makes a worker compute takes only what the service leaves. */
function lowerPriority(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, Math.min(getPriority() + 10, 19));
  } catch {
    // It has ended already, which `exit` tells.
  }
}
