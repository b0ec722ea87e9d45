import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BackingServer, identifyProcess, startChild } from '@claviger/backing-servers';
import { ensureCertificates } from './certificates.ts';
import { type Layout, layoutOf } from './layout.ts';
import { migrateInProcess } from './migrate-in-process.ts';
import { createNodeProcess, type NodeProcess, serviceEnvironment } from './node-process.ts';
import { closeTargets, openTargets } from './open-targets.ts';
import {
  checkOptions,
  type NodeDefinition,
  type PreparedInstallation,
  type PrepareOptions,
  prepareInstallation,
} from './prepare-installation.ts';
import { endLeftovers, forgetRunning, type RunningProcess, takeLock, writeRunning } from './running-file.ts';
import type { BackingServers } from './service-config.ts';
import type { ServiceName } from './services.ts';
import { startBackingServers } from './start-backing-servers.ts';

export interface StartOptions extends PrepareOptions {
  /** Restart services and servers that exit unexpectedly. Default false, because tests examine the gap. */
  readonly supervise?: boolean;
  /**
   * Extra environment by node (`vault-1`) or service (`vault`); the node's takes precedence. E.g. FAILPOINTS.
   */
  readonly env?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /**
   * `HOST:PORT` of this machine to open to targets. They stay open until they are removed from the operator's
   * file.
   */
  readonly openTargets?: readonly string[];
  /** Progress, one line at a time, without secrets. */
  readonly tell?: (line: string) => void;
  /** Time limit until all services are ready. */
  readonly readyTimeoutMs?: number;
}

/** The credentials of the operator's commands for the services. */
export interface OperatorAccess {
  /** A configuration with the common keys, for clients of the services' contracts. */
  readonly configFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  readonly authAddresses: readonly string[];
}

/** A running installation. Disposing it stops everything that it started, in reverse order. */
export interface Installation extends AsyncDisposable {
  readonly dataDir: string;
  readonly layout: Layout;
  /** The first gateway, e.g. `https://localhost:7101`. */
  readonly url: string;
  /** All gateways. */
  readonly urls: readonly string[];
  /** PEM file to trust for HTTPS. */
  readonly caCertificate: string;
  readonly servers: BackingServers;
  readonly nodes: readonly NodeDefinition[];
  readonly operator: OperatorAccess;
  /** Log file by node or server. */
  readonly logFiles: Readonly<Record<string, string>>;
  pid(node: string): number | undefined;
  /** Sends a signal and, unless it only pauses or continues, waits for the exit. Default SIGKILL. */
  kill(node: string, signal?: NodeJS.Signals): Promise<void>;
  /**
   * Stops the node if it runs, starts it (with a new extra environment, if given) and waits until it is
   * ready.
   */
  restart(node: string, options?: { readonly env?: Readonly<Record<string, string>> }): Promise<void>;
  /** Waits until every node is ready. */
  waitUntilReady(timeoutMs?: number): Promise<void>;
  /** Opens these addresses of this machine (`HOST:PORT`) to targets. */
  openTargets(...targets: readonly string[]): Promise<void>;
  closeTargets(...targets: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

const serviceStopTimeoutMs = 20_000;
/** For processes that hang: one that cannot start exits, which is noticed at once. */
const defaultReadyTimeoutMs = 180_000;
const renewalIntervalMs = 10 * 60 * 1000;

/** Creates a new temporary folder that the servers' account can reach. For tests. */
export async function createTemporaryDataDir(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'claviger-')));
  await chmod(folder, 0o711);
  return folder;
}

/**
 * Starts one installation on this machine: servers, roles, migrations, services. Resolves when all are ready.
 * Throws, with everything stopped again, if one does not become ready; `AlreadyRunningError` if another
 * process uses this data folder.
 */
export async function startInstallation(options: StartOptions): Promise<Installation> {
  checkOptions(options);
  const tell = options.tell ?? (() => {});
  await mkdir(join(options.dataDir, 'run'), { recursive: true, mode: 0o700 });
  const dataDir = await realpath(options.dataDir);
  const layout = layoutOf(dataDir);
  // Run in reverse order by `stop()` and after a failed start.
  const undo: (() => Promise<void>)[] = [await takeLock(dataDir)];
  const stop = async () => {
    const errors: unknown[] = [];
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) {
      await step().catch((error) => errors.push(error));
    }
    if (errors.length > 0) throw new AggregateError(errors, 'not everything could be stopped');
  };
  try {
    const leftovers = await endLeftovers(dataDir);
    if (leftovers.length > 0) tell(`ended processes of an earlier run: ${leftovers.join(', ')}`);
    return await bringUp({ ...options, dataDir }, layout, undo, stop, tell);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function bringUp(
  options: StartOptions,
  layout: Layout,
  undo: (() => Promise<void>)[],
  stop: () => Promise<void>,
  tell: (line: string) => void,
): Promise<Installation> {
  const supervise = options.supervise ?? false;
  const { dataDir } = layout;
  tell('starting PostgreSQL, Redis and NATS');
  const servers = await startBackingServers(layout, options.environment, tell);
  const allServers: BackingServer[] = [servers.postgres, servers.redis, servers.nats];
  undo.push(async () => void (await Promise.all(allServers.map((server) => server.stop()))));

  const prepared = await prepareInstallation(options, servers);
  await openTargets(layout, options.openTargets ?? []);
  for (const { args } of prepared.nodes) {
    const main = args[args.indexOf('--config') - 1];
    if (main !== undefined && !existsSync(main))
      throw new Error(`${main} is missing: this clone is incomplete`);
  }
  const envOf = ({ node, service }: { node: string; service: ServiceName }) => ({
    ...options.env?.[service],
    ...options.env?.[node],
  });
  const processes = new Map<string, NodeProcess>();
  const record = recorder(layout, prepared, allServers, processes);
  undo.push(() => record.close());
  await record.write(false);

  tell('migrating the database');
  const inProcess = options.environment === 'test' && options.servicesDir === undefined;
  await Promise.all(
    prepared.nodes
      .filter((node) => node.migrateArgs !== undefined)
      .map((node) => (inProcess ? migrateInProcess(node) : migrate(node, layout, envOf(node)))),
  );

  tell(`starting ${prepared.nodes.map((each) => each.node).join(', ')}`);
  for (const definition of prepared.nodes) {
    processes.set(
      definition.node,
      createNodeProcess(definition, {
        cwd: dataDir,
        env: envOf(definition),
        supervise,
        tell,
        onChange: () => void record.write(),
      }),
    );
  }
  undo.push(async () => {
    // Gateways first: they drain while the services behind them still answer. Auth last: the others report
    // their end to it.
    const isGateway = ({ definition }: NodeProcess) => definition.service === 'gateway';
    const isAuth = ({ definition }: NodeProcess) => definition.service === 'auth';
    const all = [...processes.values()];
    for (const some of [all.filter(isGateway), all.filter((each) => !isAuth(each)), all])
      await Promise.all(some.map((each) => each.stop(serviceStopTimeoutMs)));
  });
  if (supervise) for (const server of allServers) superviseServer(server, tell, undo, record.write);

  const waitUntilReady = async (timeoutMs = options.readyTimeoutMs ?? defaultReadyTimeoutMs) => {
    const all = [...processes.values()];
    const gateways = all.filter((each) => each.definition.service === 'gateway');
    const states = await Promise.all(
      all.filter((each) => !gateways.includes(each)).map((each) => each.waitUntilReady(timeoutMs)),
    );
    if (states.includes('restore unfinished'))
      return tell(
        'the database was restored to an older state: the services refuse requests until `claviger restore finish` has run',
      );
    // Gateways become ready after the services, which now wait for their root key.
    if (states.includes('sealed'))
      return tell(
        'sealed: `claviger unseal` brings the root key; a new installation gets one with `claviger unseal --init`',
      );
    await Promise.all(gateways.map((each) => each.waitUntilReady(timeoutMs)));
  };
  await Promise.all([...processes.values()].map((each) => each.start()));
  await waitUntilReady();
  await record.write(true);
  undo.push(renewCertificates(layout, options, tell));

  const find = (node: string): NodeProcess => {
    const found = processes.get(node);
    if (found === undefined)
      throw new Error(`no node ${node}: there are ${[...processes.keys()].join(', ')}`);
    return found;
  };
  const urls = prepared.nodes.flatMap((each) => each.publicUrl ?? []);
  return {
    dataDir,
    layout,
    url: prepared.publicUrl,
    urls,
    caCertificate: layout.edgeCa,
    servers,
    nodes: prepared.nodes,
    operator: {
      configFile: layout.configFile('operator'),
      ...layout.leaf('operator'),
      caFile: layout.internalCa,
      authAddresses: authAddresses(prepared),
    },
    logFiles: Object.fromEntries([
      ...prepared.nodes.map((each) => [each.node, each.logFile]),
      ...allServers.flatMap((server) =>
        server.logFile === undefined ? [] : [[server.name, server.logFile]],
      ),
    ]),
    pid: (node) => find(node).pid,
    async kill(node, signal = 'SIGKILL') {
      const target = find(node);
      const ended = target.ended();
      target.kill(signal);
      if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await ended;
    },
    async restart(node, { env } = {}) {
      const target = find(node);
      await target.stop(serviceStopTimeoutMs);
      await target.start(env);
      await target.waitUntilReady(options.readyTimeoutMs ?? defaultReadyTimeoutMs);
    },
    waitUntilReady,
    openTargets: (...targets) => openTargets(layout, targets),
    closeTargets: (...targets) => closeTargets(layout, targets),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

const authAddresses = (prepared: PreparedInstallation) =>
  prepared.nodes.flatMap((each) => (each.service === 'auth' ? (each.grpcAddress ?? []) : []));

/** Runs a service's migrations; throws with the end of its log if they fail. */
async function migrate(node: NodeDefinition, layout: Layout, env: Record<string, string>): Promise<void> {
  if (node.migrateArgs === undefined) return;
  const logFile = layout.logFile(`${node.service}-migrate`);
  const child = await startChild({
    command: node.command,
    args: node.migrateArgs,
    env: serviceEnvironment(env),
    cwd: layout.dataDir,
    logFile,
    signalOnParentDeath: 'SIGTERM',
  });
  const { code, signal } = await child.exited;
  if (code === 0) return;
  const log = await readFile(logFile, 'utf8').catch(() => '');
  throw new Error(
    `migrating ${node.service} failed (${signal ?? `code ${code}`}):\n${log.trimEnd().split('\n').slice(-12).join('\n')}\nSee ${logFile}`,
  );
}

/** Keeps run/running.json up to date; writes never overlap. */
function recorder(
  layout: Layout,
  prepared: PreparedInstallation,
  servers: readonly BackingServer[],
  nodes: ReadonlyMap<string, NodeProcess>,
) {
  let isReady = false;
  let closed = false;
  // A process that has exited and was not restarted yet stays in the list, so that its absence is visible.
  const known = new Map<string, RunningProcess>();
  const names = [...servers.map(({ name }) => name), ...prepared.nodes.map(({ node }) => node)];
  let last: Promise<void> = Promise.resolve();
  async function writeNow(): Promise<void> {
    const supervisor = await identifyProcess(process.pid);
    if (closed || supervisor === undefined) return;
    const add = async (pid: number | undefined, rest: Omit<RunningProcess, 'identity'>) => {
      const identity = pid === undefined ? undefined : await identifyProcess(pid);
      if (identity !== undefined) known.set(rest.name, { ...rest, identity });
    };
    for (const { name, pid, port } of servers) {
      await add(pid, { name, kind: 'part', stopSignal: name === 'postgres' ? 'SIGINT' : 'SIGTERM', port });
    }
    for (const { pid, definition } of nodes.values()) {
      const { node, healthUrl } = definition;
      await add(pid, { name: node, kind: 'service', stopSignal: 'SIGTERM', healthUrl });
    }
    await writeRunning({
      supervisor,
      ready: isReady,
      url: prepared.publicUrl,
      caCertificate: layout.edgeCa,
      dataDir: layout.dataDir,
      authAddresses: authAddresses(prepared),
      processes: names.flatMap((name) => known.get(name) ?? []),
    });
  }
  const write = (ready?: boolean): Promise<void> => {
    isReady = ready ?? isReady;
    last = last.then(writeNow, writeNow);
    return last;
  };
  return {
    write,
    async close() {
      closed = true;
      await last.catch(() => {});
      await forgetRunning(layout.dataDir);
    },
  };
}

/** Restarts a server that exits unexpectedly, with its port and data. */
function superviseServer(
  server: BackingServer,
  tell: (line: string) => void,
  undo: (() => Promise<void>)[],
  changed: () => Promise<void>,
): void {
  let stopped = false;
  let backoffMs = 500;
  let timer: NodeJS.Timeout | undefined;
  undo.push(async () => {
    stopped = true;
    clearTimeout(timer);
  });
  const again = () => {
    if (stopped) return;
    tell(`${server.name} ended; starting it again in ${backoffMs / 1000} s`);
    timer = setTimeout(() => {
      server.start().then(
        () => {
          backoffMs = 500;
          void changed();
        },
        (error: Error) => {
          tell(error.message);
          backoffMs = Math.min(backoffMs * 2, 30_000);
          again();
        },
      );
    }, backoffMs);
  };
  server.onUnexpectedExit(again);
}

/** Certificates are valid for 24 hours and renewed after half of that; the services reload changed files. */
function renewCertificates(
  layout: Layout,
  options: StartOptions,
  tell: (line: string) => void,
): () => Promise<void> {
  const timer = setInterval(() => {
    ensureCertificates(layout, options.environment).then(
      (renewed) => {
        if (renewed.length > 0) tell(`renewed certificates: ${renewed.join(', ')}`);
      },
      (error: Error) => tell(`certificates could not be renewed: ${error.message}`),
    );
  }, renewalIntervalMs);
  timer.unref();
  return async () => clearInterval(timer);
}
