import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pollUntil } from '@claviger/api-client/poll';
import { commandProgram } from '@claviger/installation/host-settings';
import { DemoFailure } from './narrator.ts';
import type { DemoServer } from './person.ts';

/** One line of output of the agent. */
interface AgentLine {
  readonly event: string;
  readonly id?: string;
  readonly path?: string;
  readonly status?: string;
  readonly elevationRequestId?: string;
}

/** The agent of a device, as a separate process. */
export interface DemoDevice extends AsyncDisposable {
  /** Waits until the agent has printed this event `count` times; returns them in order. */
  told(event: string, count: number): Promise<AgentLine[]>;
}

const TOLD_WITHIN_MS = 120_000;

/** Starts the agent with a script of prompts. Its token is in a file that only its user can read. */
export async function startDevice(
  server: DemoServer,
  deviceId: string,
  agentToken: string,
  prompts: readonly object[],
): Promise<DemoDevice> {
  const folder = await mkdtemp(join(tmpdir(), 'claviger-demo-device-'));
  const write = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const [token, ca, script] = await Promise.all([
    write('token', agentToken),
    write('ca.pem', server.ca),
    write('prompts.json', JSON.stringify(prompts.map((prompt) => ({ prompt })))),
  ]);
  const args = ['agent', '--simulate', '--json', '--device', deviceId, '--token-file', token];
  const child = spawn(
    process.execPath,
    [commandProgram, ...args, '--url', server.url, '--ca', ca, '--script', script],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const lines: AgentLine[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as AgentLine));
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  return {
    told: async (event, count) => {
      const found = () => lines.filter((line) => line.event === event);
      await pollUntil(
        async () => found().length,
        (told) => told >= count || child.exitCode !== null,
        { timeoutMs: TOLD_WITHIN_MS, everyMs: 100 },
      );
      if (found().length < count)
        throw new DemoFailure(
          `the agent told ${found().length} times "${event}", not ${count} ${complaint}`.trim(),
        );
      return found();
    },
    [Symbol.asyncDispose]: async () => {
      await ended(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}
