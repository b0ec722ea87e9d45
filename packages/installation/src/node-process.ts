import { readFile } from 'node:fs/promises';
import { type Child, startChild } from '@claviger/backing-servers';
import type { NodeDefinition } from './prepare-installation.ts';

/** The only variables that a service inherits: others may contain secrets. */
const inherited = [
  'PATH',
  'HOME',
  'LANG',
  'TMPDIR',
  'TZ',
  'NODE_COMPILE_CACHE',
  'NODE_V8_COVERAGE',
  'NODE_EXTRA_CA_CERTS',
];

export function serviceEnvironment(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const name of inherited) if (process.env[name] !== undefined) env[name] = process.env[name];
  return { ...env, ...extra };
}

/** The process of a service, including its restarts. */
export interface NodeProcess {
  readonly definition: NodeDefinition;
  readonly pid: number | undefined;
  /**
   * Starts it if it does not run; `env` replaces the former extra environment. Does not wait until it is
   * ready.
   */
  start(env?: Readonly<Record<string, string>>): Promise<void>;
  /**
   * Polls `/ready`. Throws with the end of the log if the process exits, or at the deadline. Returns `sealed`
   * if the root key must be brought by hand.
   */
  waitUntilReady(timeoutMs: number): Promise<'ready' | 'sealed' | 'restore unfinished'>;
  kill(signal: NodeJS.Signals): boolean;
  /** Resolves when the present process has exited. */
  ended(): Promise<void>;
  /** SIGTERM, a bounded wait, SIGKILL; without a restart. */
  stop(timeoutMs: number): Promise<void>;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const longestBackoffMs = 30_000;
const healthyAfterMs = 60_000;

/** If `supervise` is set, a process that exits unexpectedly is restarted after 0.5 s, 1 s, 2 s … 30 s. */
export function createNodeProcess(
  definition: NodeDefinition,
  options: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly supervise: boolean;
    readonly tell: (line: string) => void;
    readonly onChange: () => void;
  },
): NodeProcess {
  let env = options.env;
  let child: Child | undefined;
  let stopping = false;
  let backoffMs = 500;
  let retry: NodeJS.Timeout | undefined;
  let starting: Promise<unknown> = Promise.resolve();

  function start(newEnv?: Readonly<Record<string, string>>): Promise<void> {
    const started = startNow(newEnv);
    starting = started.catch(() => {});
    return started;
  }

  async function startNow(newEnv?: Readonly<Record<string, string>>): Promise<void> {
    clearTimeout(retry);
    stopping = false;
    if (newEnv !== undefined) env = newEnv;
    if (child !== undefined) return;
    const startedAt = Date.now();
    const started = await startChild({
      command: definition.command,
      args: definition.args,
      env: serviceEnvironment(env),
      cwd: options.cwd,
      logFile: definition.logFile,
      signalOnParentDeath: 'SIGTERM',
    });
    child = started;
    options.onChange();
    started.exited.then(({ code, signal }) => {
      if (child === started) child = undefined;
      options.onChange();
      if (stopping) return;
      const how = signal === null ? `with code ${code}` : `by ${signal}`;
      if (!options.supervise) return options.tell(`${definition.node} ended ${how}`);
      if (Date.now() - startedAt > healthyAfterMs) backoffMs = 500;
      options.tell(`${definition.node} ended ${how}; starting it again in ${backoffMs / 1000} s`);
      retry = setTimeout(() => {
        start().catch((error) => options.tell(`${definition.node} cannot be started: ${error.message}`));
      }, backoffMs);
      backoffMs = Math.min(backoffMs * 2, longestBackoffMs);
    });
  }

  async function waitUntilReady(timeoutMs: number): Promise<'ready' | 'sealed' | 'restore unfinished'> {
    const deadline = Date.now() + timeoutMs;
    let last = 'no answer';
    let isSealed = false;
    while (Date.now() < deadline) {
      if (child === undefined && !(options.supervise && retry !== undefined)) {
        throw new Error(`${definition.node} ended before it was ready.\n${await endOfLog()}`);
      }
      try {
        const answer = await fetch(`${definition.healthUrl}/ready`, { signal: AbortSignal.timeout(2_000) });
        const body = await answer.text();
        if (answer.ok) return 'ready';
        last = `${answer.status} ${body.slice(0, 500)}`;
        isSealed = definition.service !== 'gateway' && body.startsWith('sealed');
        // An operator finishes the restore; the process is needed for that.
        if (body.startsWith('restore_unfinished')) return 'restore unfinished';
      } catch (error) {
        last = error instanceof Error ? String(error.cause ?? error.message) : String(error);
      }
      if (isSealed && definition.unsealedByHand) return 'sealed';
      // More waiting cannot bring the key.
      if (isSealed) {
        throw new Error(
          `${definition.node} is sealed: its root key is missing, or is not the key that encrypted its data. ` +
            `Nothing was overwritten: restore the right file and start again.\nSee ${definition.logFile}`,
        );
      }
      await pause(40);
    }
    throw new Error(
      `${definition.node} is not ready after ${timeoutMs / 1000} s (${definition.healthUrl}/ready: ${last}).\n${await endOfLog()}`,
    );
  }

  async function endOfLog(): Promise<string> {
    const text = await readFile(definition.logFile, 'utf8').catch(() => '');
    return `${text.trimEnd().split('\n').slice(-12).join('\n')}\nSee ${definition.logFile}`;
  }

  return {
    definition,
    get pid() {
      return child?.pid;
    },
    start,
    waitUntilReady,
    kill: (signal) => child?.kill(signal) ?? false,
    async ended() {
      await child?.exited;
    },
    async stop(timeoutMs) {
      stopping = true;
      clearTimeout(retry);
      retry = undefined;
      // A process that is being started cannot receive a signal yet.
      await starting;
      await child?.stop('SIGTERM', timeoutMs);
      child = undefined;
    },
  };
}
