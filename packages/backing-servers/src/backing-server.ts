import { readFile, stat } from 'node:fs/promises';
import type { Account } from './account.ts';
import { type Child, type ChildExit, startChild } from './child.ts';
import { freePort, isPortFree } from './free-port.ts';

export type ServerName = 'postgres' | 'redis' | 'nats';

/** A server that runs or was stopped. `start()` again uses the same port and data. */
export interface BackingServer extends AsyncDisposable {
  readonly name: ServerName;
  readonly host: string;
  readonly port: number;
  /** Process id while it runs as our child; `undefined` if stopped or external. */
  readonly pid: number | undefined;
  readonly version: string;
  /** True if it was given by URL: it is then never started or stopped here. */
  readonly external: boolean;
  readonly dataDir: string | undefined;
  readonly logFile: string | undefined;
  /** Starts it (again) and resolves once it has proved its identity. Does nothing while it runs. */
  start(): Promise<void>;
  /** Stops it gracefully within a limit; then SIGKILL. Does nothing if it does not run. */
  stop(): Promise<void>;
  /** Sends a signal to the running server, e.g. SIGKILL or SIGSTOP in a fault test. */
  kill(signal: NodeJS.Signals): boolean;
  /** Called whenever the server exits without `stop()`. */
  onUnexpectedExit(listener: (exit: ChildExit) => void): void;
}

/** The differences between the servers. */
export interface ServerRecipe {
  readonly name: ServerName;
  readonly version: string;
  readonly dataDir: string;
  readonly logFile: string;
  readonly account: Account | undefined;
  readonly stopSignal: NodeJS.Signals;
  readonly stopTimeoutMs: number;
  readonly startTimeoutMs: number;
  /** The preferred or required port. */
  readonly port: number | undefined;
  /** If true, no other port is tried. */
  readonly portIsFixed: boolean;
  /** Writes the files that the program needs and returns its command line for this port. */
  prepare(port: number): Promise<{ command: string; args: string[]; env?: NodeJS.ProcessEnv }>;
  /**
   * Whether its output before it exited means that it must be started again, because its predecessor has not
   * gone.
   */
  mustWait?(said: string): boolean;
  /** Connects and checks that the server is the one just started; throws until it answers. */
  verify(port: number, pid: number): Promise<void>;
}

/** Another server than the one that was started has answered: do not retry. */
export class WrongServerError extends Error {
  override readonly name = 'WrongServerError';
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Starts a server by its recipe. Tries three ports if another process takes one in between. */
export async function startBackingServer(recipe: ServerRecipe): Promise<BackingServer> {
  let child: Child | undefined;
  let stopping = false;
  let starting: Promise<void> | undefined;
  let port = recipe.port ?? 0;
  const listeners: ((exit: ChildExit) => void)[] = [];

  async function startOn(chosen: number): Promise<void> {
    stopping = false;
    const deadline = Date.now() + recipe.startTimeoutMs;
    const { command, args, env } = await recipe.prepare(chosen);
    while (!stopping) {
      const logged = await sizeOf(recipe.logFile);
      const started = await startChild({
        command,
        args,
        env: { PATH: process.env.PATH, LANG: 'C.UTF-8', TZ: 'UTC', ...env },
        cwd: recipe.dataDir,
        logFile: recipe.logFile,
        account: recipe.account,
        signalOnParentDeath: recipe.stopSignal,
      });
      child = started;
      let lastError: unknown;
      while (started.exit === undefined && !stopping && Date.now() < deadline) {
        try {
          await recipe.verify(chosen, started.pid);
          started.exited.then((exit) => {
            if (child === started) child = undefined;
            if (!stopping) for (const listener of listeners) listener(exit);
          });
          port = chosen;
          return;
        } catch (error) {
          lastError = error;
          if (error instanceof WrongServerError) break;
          await pause(25);
        }
      }
      const ended = started.exit !== undefined && !stopping && Date.now() < deadline;
      if (ended && recipe.mustWait?.((await readFile(recipe.logFile)).subarray(logged).toString())) {
        child = undefined;
        await pause(100);
        continue;
      }
      const wasStopped = stopping;
      stopping = true;
      await started.stop(recipe.stopSignal, recipe.stopTimeoutMs);
      child = undefined;
      if (wasStopped) break;
      throw new Error(
        `${recipe.name} did not start on port ${chosen}: ${lastError instanceof Error ? lastError.message : 'it ended at once'}\n${await lastLines(recipe.logFile)}\nSee ${recipe.logFile}`,
        { cause: lastError },
      );
    }
    throw new Error(`${recipe.name} was stopped before it had started`);
  }

  async function start(): Promise<void> {
    if (child !== undefined) return;
    if (port !== 0 && (recipe.portIsFixed || (await isPortFree(port)))) return startOn(port);
    for (let attempt = 1; ; attempt++) {
      const candidate = await freePort();
      try {
        return await startOn(candidate);
      } catch (error) {
        // Only a port that was taken in the meantime is a reason to try another one.
        if (attempt === 3 || (await isPortFree(candidate))) throw error;
      }
    }
  }

  async function stop(): Promise<void> {
    stopping = true;
    const running = child;
    if (running !== undefined) {
      await running.stop(recipe.stopSignal, recipe.stopTimeoutMs);
      if (child === running) child = undefined;
    }
    // A pending start ends by itself, together with anything it has started.
    await starting?.catch(() => {});
  }

  function startAgain(): Promise<void> {
    // After the first start the port is known to others and may not change.
    starting ??= startOn(port).finally(() => {
      starting = undefined;
    });
    return starting;
  }

  await start();
  return {
    name: recipe.name,
    host: '127.0.0.1',
    get port() {
      return port;
    },
    get pid() {
      return child?.pid;
    },
    version: recipe.version,
    external: false,
    dataDir: recipe.dataDir,
    logFile: recipe.logFile,
    start: async () => (child === undefined || starting !== undefined ? startAgain() : undefined),
    stop,
    kill: (signal) => child?.kill(signal) ?? false,
    onUnexpectedExit: (listener) => void listeners.push(listener),
    [Symbol.asyncDispose]: stop,
  };
}

/** A server that was given by URL and is managed elsewhere. */
export function externalServer(name: ServerName, host: string, port: number, version: string): BackingServer {
  const nothing = async () => {};
  return {
    name,
    host,
    port,
    pid: undefined,
    version,
    external: true,
    dataDir: undefined,
    logFile: undefined,
    start: nothing,
    stop: nothing,
    kill: () => false,
    onUnexpectedExit: () => {},
    [Symbol.asyncDispose]: nothing,
  };
}

/** Size of a file; 0 if it does not exist. */
async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

async function lastLines(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-8).join('\n');
}
