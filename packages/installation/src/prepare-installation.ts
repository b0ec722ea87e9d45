import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts, isPortFree } from '@claviger/backing-servers';
import { writeAtomically } from '@claviger/identity';
import { ensureCertificates } from './certificates.ts';
import { ensureDatabase } from './database-roles.ts';
import { type Layout, layoutOf } from './layout.ts';
import { ensureSecrets } from './secrets.ts';
import { type BackingServers, operatorConfig, serviceConfig } from './service-config.ts';
import { type Environment, type ServiceName, serviceNames } from './services.ts';
import { readState, writeState } from './state.ts';

export interface PrepareOptions {
  readonly dataDir: string;
  readonly environment: Environment;
  /**
   * HTTPS port of the first gateway on 127.0.0.1; 0 or absent: any free port. Further gateways use free
   * ports.
   */
  readonly publicPort?: number;
  /** Number of processes of each service; default 1. */
  readonly replicas?: Partial<Record<ServiceName, number>>;
  /** The services to start; default all. */
  readonly services?: readonly ServiceName[];
  readonly otlpEndpoint?: string;
  /** `off` is for measurements and refused in production. */
  readonly rateLimits?: 'on' | 'off';
  readonly logLevel?: string;
  /** Merged over a service's configuration, one level deep, e.g. `{ vault: { database: { … } } }`. */
  readonly overrides?: Partial<Record<ServiceName, Record<string, unknown>>>;
  /** The folder with `<service>/src/main.ts`; default: the repository's `services`. */
  readonly servicesDir?: string;
}

/** One process of the installation, as data. */
export interface NodeDefinition {
  /** E.g. `vault-1`. */
  readonly node: string;
  readonly service: ServiceName;
  readonly command: string;
  readonly args: readonly string[];
  /** Runs the migrations and exits. Only the first node of a service with a database has it. */
  readonly migrateArgs: readonly string[] | undefined;
  readonly configFile: string;
  readonly logFile: string;
  /** `GET /live` and `GET /ready` below it. */
  readonly healthUrl: string;
  readonly grpcAddress: string | undefined;
  /** Gateways only. */
  readonly publicUrl: string | undefined;
  /** Nodes that must be ready before this one can be. All are started at the same time. */
  readonly dependsOn: readonly string[];
  /** Its root key is brought by hand: it starts sealed and waits. */
  readonly unsealedByHand: boolean;
}

export interface PreparedInstallation {
  readonly layout: Layout;
  readonly nodes: readonly NodeDefinition[];
  readonly publicUrl: string;
}

/** The services of this repository. */
export const servicesFolder = join(import.meta.dirname, '../../../services');

/**
 * Protections without cost: no prototype pollution through `__proto__`, no debugger on a signal. A young
 * generation of 8 MiB takes 20 to 40 MB less memory in each process (docs/performance.md).
 */
const nodeFlags = [
  '--disable-proto=delete',
  '--disable-sigusr1',
  '--max-semi-space-size=8',
  '--disable-warning=ExperimentalWarning',
];

/** Refuses invalid options before anything is created. */
export function checkOptions(options: PrepareOptions): void {
  if (options.environment === 'production' && options.rateLimits === 'off') {
    throw new Error('the request limits cannot be switched off in production: unset CLAVIGER_RATE_LIMITS');
  }
}

function nodeNames(options: PrepareOptions): { service: ServiceName; node: string; index: number }[] {
  return (options.services ?? serviceNames).flatMap((service) =>
    Array.from({ length: options.replicas?.[service] ?? 1 }, (_, i) => ({
      service,
      node: `${service}-${i + 1}`,
      index: i + 1,
    })),
  );
}

/** Chooses a port for each name: the former one if it is free, else a new one. */
async function choosePorts(
  names: readonly string[],
  remembered: Readonly<Record<string, number>>,
): Promise<Record<string, number>> {
  const chosen: Record<string, number> = {};
  const fresh = await freePorts(names.length);
  for (const [i, name] of names.entries()) {
    const last = remembered[name];
    chosen[name] = last !== undefined && (await isPortFree(last)) ? last : fresh[i]!;
  }
  return chosen;
}

/**
 * Completes the data folder of an installation: secrets, certificates, database roles, and a configuration
 * file per process. A repeated call keeps every secret and port. Returns the list of processes.
 */
export async function prepareInstallation(
  options: PrepareOptions,
  servers: BackingServers,
): Promise<PreparedInstallation> {
  checkOptions(options);
  const layout = layoutOf(options.dataDir);
  const settings = await readSettings(layout);
  await Promise.all([ensureSecrets(layout), ensureCertificates(layout, options.environment)]);
  await ensureDatabase(servers.postgres, layout);

  const state = await readState(layout);
  if (state === undefined) throw new Error(`${layout.stateFile} is missing: start the servers first`);
  const names = nodeNames(options);
  const ports = await choosePorts(
    names.flatMap(({ node, service }) => [
      `${node}.health`,
      `${node}.${service === 'gateway' ? 'http' : 'grpc'}`,
    ]),
    state.ports,
  );
  const publicPort = options.publicPort ?? 0;
  if (publicPort !== 0 && ports['gateway-1.http'] !== undefined) {
    if (!(await isPortFree(publicPort))) {
      throw new Error(`port ${publicPort} is in use by another program: choose another one with --port`);
    }
    ports['gateway-1.http'] = publicPort;
  }
  await writeState(layout, { ...state, ports: { ...state.ports, ...ports } });

  const peers: Record<string, string[]> = {};
  for (const { node, service } of names) {
    if (service === 'gateway') continue;
    peers[service] ??= [];
    peers[service].push(`127.0.0.1:${ports[`${node}.grpc`]}`);
  }
  const publicUrl = `https://localhost:${ports['gateway-1.http'] ?? 0}`;
  const context = {
    layout,
    environment: options.environment,
    logLevel: options.logLevel ?? 'info',
    servers,
    peers,
    otlpEndpoint: options.otlpEndpoint,
    rateLimits: options.rateLimits ?? 'on',
    gateways: names.filter(({ service }) => service === 'gateway').length,
    stores: names.filter(({ service }) => service !== 'gateway').length,
    publicUrl,
    ownServers: [
      ...[servers.postgres, servers.redis, servers.nats].map(({ host, port }) => `${host}:${port}`),
      ...names.flatMap(({ node }) =>
        ['grpc', 'health', 'http'].flatMap((kind) => {
          const port = ports[`${node}.${kind}`];
          return port === undefined ? [] : [`127.0.0.1:${port}`];
        }),
      ),
    ],
  };
  await writeAtomically(
    layout.configFile('operator'),
    `${JSON.stringify(operatorConfig(context), null, 2)}\n`,
  );
  const nodes = await Promise.all(
    names.map(async ({ node, service, index }): Promise<NodeDefinition> => {
      const isGateway = service === 'gateway';
      const at = {
        grpc: isGateway ? undefined : `127.0.0.1:${ports[`${node}.grpc`]}`,
        health: `127.0.0.1:${ports[`${node}.health`]}`,
        http: isGateway ? `127.0.0.1:${ports[`${node}.http`]}` : undefined,
        publicUrl: isGateway ? `https://localhost:${ports[`${node}.http`]}` : undefined,
      };
      const config = [settings[service], options.overrides?.[service]].reduce<Record<string, unknown>>(
        (below, over) => overlay(below, over ?? {}),
        serviceConfig(service, node, at, context),
      );
      const configFile = layout.configFile(node);
      await writeAtomically(configFile, `${JSON.stringify(config, null, 2)}\n`);
      const main = join(options.servicesDir ?? servicesFolder, service, 'src/main.ts');
      return {
        node,
        service,
        command: process.execPath,
        args: [...nodeFlags, main, '--config', configFile],
        migrateArgs:
          isGateway || index > 1 ? undefined : [...nodeFlags, main, 'migrate', '--config', configFile],
        configFile,
        logFile: layout.logFile(node),
        healthUrl: `http://${at.health}`,
        grpcAddress: at.grpc,
        publicUrl: at.publicUrl,
        dependsOn: isGateway
          ? names.filter((each) => each.service !== 'gateway').map((each) => each.node)
          : [],
        unsealedByHand: isObject(config.rootKey) && config.rootKey.provider === 'shamir',
      };
    }),
  );
  return { layout, nodes, publicUrl };
}

/** `{"auth": {"sessions": {"idleMinutes": 15}}}`; throws with the file name if it has another form. */
async function readSettings(layout: Layout): Promise<Partial<Record<ServiceName, Record<string, unknown>>>> {
  const { settingsFile } = layout;
  const text = await readFile(settingsFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  let settings: unknown;
  try {
    settings = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${settingsFile} is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (!isObject(settings)) throw new Error(`${settingsFile} must hold an object by service`);
  for (const [name, value] of Object.entries(settings)) {
    if ((serviceNames as readonly string[]).includes(name) && isObject(value)) continue;
    throw new Error(`${settingsFile}: "${name}" must be one of ${serviceNames.join(', ')}, with an object`);
  }
  return settings as Partial<Record<ServiceName, Record<string, unknown>>>;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function overlay(base: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const result = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = result[key];
    // A value with a `provider` is a choice and replaces the former value as a whole.
    const laid = isObject(below) && isObject(value) && !('provider' in value);
    result[key] = laid ? { ...below, ...value } : value;
  }
  return result;
}
