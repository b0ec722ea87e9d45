import { setTimeout as pause } from 'node:timers/promises';
import { ApiClient } from '@claviger/api-client';
import { connectionOf } from '@claviger/api-client/connection';
import { parseSeconds } from '@claviger/terminal/duration';
import { EXIT, type ExitCode } from '@claviger/terminal/exit-codes';
import { type AgentLog, agentLog } from './agent-log.ts';
import { readScript } from './agent-script.ts';
import { openCommandJournal } from './command-journal.ts';
import { createDevice, type Device } from './device.ts';
import { createPersist } from './persist.ts';
import { createPlayer } from './play-script.ts';
import { serveCommands } from './serve-commands.ts';
import { openTokenFile } from './token-file.ts';

export interface AgentOptions {
  readonly url?: string;
  readonly ca?: string;
  readonly device: string;
  readonly tokenFile: string;
  readonly stateFile?: string;
  readonly script?: string;
  readonly untilDone?: boolean;
  readonly rotateEvery?: string;
  readonly json?: boolean;
}

/**
 * The command `agent`: simulates a device with its agent. Runs until it is stopped, or with `untilDone` until
 * the end of its script. Exit code 1 if a step failed, 3 if the server refuses the device.
 */
export async function runAgent(options: AgentOptions): Promise<ExitCode> {
  const steps = options.script === undefined ? [] : await readScript(options.script);
  const rotateEveryMs =
    options.rotateEvery === undefined
      ? undefined
      : parseSeconds(options.rotateEvery, '--rotate-every') * 1_000;
  const { server, ca } = await connectionOf({
    ...(options.url === undefined ? {} : { server: options.url }),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });
  const tokens = await openTokenFile(options.tokenFile);
  const log = agentLog(options.json ?? false);
  const journal = openCommandJournal(options.stateFile ?? `${options.tokenFile}.state`);
  await using api = new ApiClient({
    baseUrl: server,
    ...(ca === undefined ? {} : { ca }),
    token: (fresh) => tokens.current(fresh),
  });
  const device = createDevice(options.device, api, tokens, createPersist(log));
  const player = createPlayer(device, log);
  const stopping = new AbortController();
  const listening = new AbortController();
  const stop = (): void => {
    stopping.abort();
    listening.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const serve = { device, journal, simulation: player, log };
  log('started', `the agent of ${options.device} serves ${server}`, { device: options.device, server });
  try {
    const playing = player.play(steps, stopping.signal).then((failed) => {
      if (options.untilDone) listening.abort();
      return failed;
    });
    const others = [serveCommands(serve, listening.signal, stopping.signal)];
    if (rotateEveryMs !== undefined) others.push(rotate(device, rotateEveryMs, log, listening.signal));
    const [failed] = await Promise.all([playing, ...others]);
    return failed > 0 ? EXIT.error : EXIT.ok;
  } catch (error) {
    if (stopping.signal.aborted) return EXIT.ok;
    throw error;
  } finally {
    stop();
    journal.close();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
    log('stopped', 'the agent has ended');
  }
}

async function rotate(device: Device, everyMs: number, log: AgentLog, listening: AbortSignal): Promise<void> {
  while (!listening.aborted) {
    await pause(everyMs, undefined, { signal: listening }).catch(() => {});
    if (listening.aborted) return;
    await device.rotateToken(listening);
    log('token-rotated', 'the agent has a new token');
  }
}
