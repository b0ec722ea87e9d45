import { createServer, type Server } from 'node:http';
import type * as cluster from '@claviger/contracts/cluster/v1/health';
import type { BaseConfig } from './config.ts';
import { splitAddress } from './config.ts';
import type { Handlers } from './handlers.ts';

export interface HealthCheck {
  readonly name: string;
  /** The service is not ready while a required check fails. */
  readonly required: boolean;
  /** Resolves when healthy; throws an error that tells the operator the problem, without secrets. */
  readonly check: () => Promise<void>;
}

export interface Health {
  readonly handlers: Handlers<typeof cluster.HealthService>;
  /**
   * Starts plain HTTP probes: /live answers 200 while the process runs, /ready only while it can serve.
   * Resolves to the port.
   */
  listen(): Promise<number>;
  setReady(ready: boolean): void;
  close(): Promise<void>;
}

const CHECK_TIMEOUT_MS = 2_000;

export interface HealthOptions {
  readonly service: string;
  readonly config: BaseConfig;
  readonly version: string;
  readonly checks: readonly HealthCheck[];
  /** A sealed service is live but not ready. */
  readonly sealed?: () => boolean;
  /** A service with an unfinished restore of its database is live but not ready. */
  readonly restoreUnfinished?: () => boolean;
}

export function createHealth(options: HealthOptions): Health {
  let ready = false;
  let server: Server | undefined;
  const run = async () => {
    const checks = await Promise.all(options.checks.map(runCheck));
    const failing = checks.filter((check) => !check.ok);
    const sealed = options.sealed?.() ?? false;
    const broken = failing.some((check) => check.required);
    const status = options.restoreUnfinished?.()
      ? 'restore_unfinished'
      : sealed
        ? 'sealed'
        : broken || !ready
          ? 'unavailable'
          : failing.length > 0
            ? 'degraded'
            : 'ok';
    return { checks, status };
  };
  return {
    handlers: {
      getHealth: async () => ({
        service: options.service,
        node: options.config.node,
        version: options.version,
        ...(await run()),
      }),
    },
    listen: () => {
      server = createServer((request, response) => {
        const answer = (code: number, body: string): void => {
          response.writeHead(code, { 'content-type': 'text/plain', 'cache-control': 'no-store' }).end(body);
        };
        if (request.method !== 'GET' && request.method !== 'HEAD') {
          response.setHeader('allow', 'GET, HEAD');
          return answer(405, 'method not allowed\n');
        }
        if (request.url === '/live') return answer(200, 'live\n');
        if (request.url !== '/ready') return answer(404, 'not found\n');
        run().then(
          ({ status }) => answer(status === 'ok' || status === 'degraded' ? 200 : 503, `${status}\n`),
          () => answer(503, 'unavailable\n'),
        );
      });
      server.headersTimeout = 5_000;
      const { host, port } = splitAddress(options.config.health.listen);
      return new Promise((resolve, reject) => {
        server!.once('error', reject);
        server!.listen(port, host, () => resolve((server!.address() as { port: number }).port));
      });
    },
    setReady: (value) => {
      ready = value;
    },
    close: () =>
      new Promise((resolve) => {
        if (!server) return resolve();
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

async function runCheck({ name, required, check }: HealthCheck) {
  const start = performance.now();
  let problem = '';
  let timer: NodeJS.Timeout | undefined;
  try {
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)),
        CHECK_TIMEOUT_MS,
      );
    });
    await Promise.race([check(), timeout]);
  } catch (error) {
    problem = error instanceof Error ? error.message : 'failed';
  } finally {
    clearTimeout(timer);
  }
  return { name, required, ok: problem === '', problem, latencyMs: Math.round(performance.now() - start) };
}
