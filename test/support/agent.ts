import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually, type NetworkAccess } from '@claviger/testkit';

const main = join(import.meta.dirname, '../../packages/cli/src/main.ts');

export type AgentLine = { readonly event: string } & Readonly<Record<string, unknown>>;

/** The folder of a device, with the token of its agent. */
export interface AgentHome extends Disposable {
  readonly tokenFile: string;
  /** Starts the agent as a separate process. */
  start(script: readonly object[], ...options: string[]): AgentProcess;
}

export interface AgentProcess {
  readonly lines: readonly AgentLine[];
  readonly events: readonly string[];
  /** Resolves with the first line of this event. */
  told(event: string): Promise<AgentLine>;
  /** Sends SIGTERM. */
  stop(): void;
  /** Sends SIGKILL. */
  kill(): void;
  readonly exitCode: Promise<number | null>;
}

/** A proxy between an agent and a gateway that can close all connections. */
export interface Wire extends AsyncDisposable {
  readonly url: string;
  cut(): void;
  mend(): void;
}

export async function startWire(gatewayUrl: string): Promise<Wire> {
  const { port } = new URL(gatewayUrl);
  const sockets = new Set<Socket>();
  let whole = true;
  const server = createServer((near) => {
    if (!whole) return void near.destroy();
    const far = connect(Number(port), '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const cut = (): void => {
    whole = false;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    cut,
    mend: () => {
      whole = true;
    },
    [Symbol.asyncDispose]: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

export function agentHome(
  access: Pick<NetworkAccess, 'urls' | 'caCertificate' | 'dataDir'>,
  deviceId: string,
  token: string,
): AgentHome {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-agent-'));
  const tokenFile = join(folder, 'device.token');
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
  const running = new Set<ChildProcess>();
  let scripts = 0;
  // The agent must not use the sign-in of the user of this machine.
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(access.dataDir, 'compile-cache'),
  };
  return {
    tokenFile,
    start: (script, ...options) => {
      const scriptFile = join(folder, `script-${++scripts}.json`);
      writeFileSync(scriptFile, JSON.stringify(script));
      const child = spawn(
        process.execPath,
        [
          ...[main, 'agent', '--simulate', '--json', '--device', deviceId, '--token-file', tokenFile],
          ...['--url', access.urls[0]!, '--ca', access.caCertificate, '--script', scriptFile, ...options],
        ],
        { env, stdio: ['ignore', 'pipe', 'inherit'] },
      );
      running.add(child);
      const exited = once(child, 'close').then(([code]) => {
        running.delete(child);
        return code as number | null;
      });
      const lines: AgentLine[] = [];
      createInterface({ input: child.stdout! }).on('line', (line) =>
        lines.push(JSON.parse(line) as AgentLine),
      );
      return {
        lines,
        get events() {
          return lines.map(({ event }) => event);
        },
        told: (event) =>
          eventually(() => {
            const line = lines.find((each) => each.event === event);
            if (!line)
              throw new Error(`it has told ${lines.map((each) => each.event).join(', ')}, not ${event}`);
            return line;
          }),
        stop: () => void child.kill('SIGTERM'),
        kill: () => void child.kill('SIGKILL'),
        exitCode: exited,
      };
    },
    [Symbol.dispose]: () => {
      for (const child of running) child.kill('SIGKILL');
      // An agent that is ending may still write files.
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}
