import { type Installation, serviceNames, startInstallation } from '@claviger/installation';

/** Options of `up`, as plain data: they are also sent to the detached supervisor. */
export interface UpRequest {
  readonly dataDir: string;
  readonly environment: 'development' | 'production' | 'test';
  readonly port: number;
  /** Processes of each service. */
  readonly replicas: number;
  readonly rateLimits: 'on' | 'off';
  /** `HOST:PORT` of each target on this machine that connectors may reach. */
  readonly openTargets: readonly string[];
  readonly otlpEndpoint?: string;
  readonly servicesDir?: string;
}

/** The running installation. */
export interface UpResult {
  readonly url: string;
  readonly caCertificate: string;
  readonly dataDir: string;
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
}

/** Starts the installation under supervision in this process. */
export async function supervise(
  request: UpRequest,
  tell: (line: string) => void,
): Promise<{ installation: Installation; result: UpResult }> {
  if (request.rateLimits === 'off') {
    tell('WARNING: CLAVIGER_RATE_LIMITS=off: nothing limits requests; for measurements only');
  }
  const installation = await startInstallation({
    dataDir: request.dataDir,
    environment: request.environment,
    publicPort: request.port,
    replicas: Object.fromEntries(serviceNames.map((service) => [service, request.replicas])),
    rateLimits: request.rateLimits,
    supervise: true,
    openTargets: request.openTargets,
    tell,
    ...(request.otlpEndpoint === undefined ? {} : { otlpEndpoint: request.otlpEndpoint }),
    ...(request.servicesDir === undefined ? {} : { servicesDir: request.servicesDir }),
  });
  const { postgres, redis, nats } = installation.servers;
  const processes = [
    ...[postgres, redis, nats].map((server) => ({ name: server.name as string, pid: server.pid })),
    ...installation.nodes.map(({ node }) => ({ name: node, pid: installation.pid(node) })),
  ];
  const result: UpResult = {
    url: installation.url,
    caCertificate: installation.caCertificate,
    dataDir: installation.dataDir,
    processes: processes.flatMap(({ name, pid }) => (pid === undefined ? [] : [{ name, pid }])),
  };
  return { installation, result };
}

/** Resolves at the first SIGINT, SIGTERM or SIGHUP. */
export function untilAskedToStop(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, resolve);
  });
}
