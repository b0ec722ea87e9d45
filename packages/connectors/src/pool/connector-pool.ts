import { knownType } from '../config-schemas.ts';
import type {
  Connector,
  ConnectorContext,
  DiscoveredAccount,
  RotateResult,
  TestResult,
  VerifyResult,
} from '../connector.ts';
import { ConnectorWorker } from './connector-worker.ts';
import { FairQueue } from './fair-queue.ts';
import { type Answer, type Loss, lostOutcome } from './lost-outcome.ts';
import type { Call } from './messages.ts';
import { type ConnectorPoolOptions, DEFAULT_OPTIONS } from './pool-options.ts';

/** No worker became free in time. Nothing was sent to the target. */
export class ConnectorsBusyError extends Error {
  override readonly name = 'ConnectorsBusyError';
  /** Whether the limit of this tenant was reached, not that of the pool. */
  readonly byTenant: boolean;
  readonly retryAfterSeconds = 5;

  constructor(byTenant: boolean) {
    super(
      byTenant
        ? 'Too many operations on targets are waiting in this tenant.'
        : 'Too many operations on targets are waiting for a worker.',
    );
    this.byTenant = byTenant;
  }
}

/** A connector that runs in a worker process within the limits of the pool. */
export type PooledConnector = Omit<Connector, 'configSchema'>;

export interface ConnectorPool extends AsyncDisposable {
  /**
   * Returns the connector of a type. If no worker is free within half of the operation's time, its operations
   * throw ConnectorsBusyError; `rotate` returns refused, `unreachable`. Throws ConnectorError
   * (`configuration`) for an unknown type.
   */
  connector(type: string, tenantId: string): PooledConnector;
  /** The process ids of the workers and the number of waiting jobs. */
  state(): { readonly busy: readonly number[]; readonly idle: readonly number[]; readonly queued: number };
}

interface Waiting {
  readonly tenantId: string;
  readonly begin: (worker: ConnectorWorker) => void;
  readonly giveUp: (loss: Loss) => void;
}

/** Creates a pool that starts workers on demand. Disposing it kills them. */
export function createConnectorPool(given: ConnectorPoolOptions = {}): ConnectorPool {
  const options = { ...DEFAULT_OPTIONS, ...given };
  const perTenant = Math.max(1, Math.floor(options.maxWorkers / 2));
  const queue = new FairQueue<Waiting>();
  const waiting = new Set<Waiting>();
  const busy = new Set<ConnectorWorker>();
  /** Ordered by idle time, longest first. */
  const idle = new Map<ConnectorWorker, NodeJS.Timeout>();
  let closed = false;

  const endIdle = (worker: ConnectorWorker): void => {
    clearTimeout(idle.get(worker));
    idle.delete(worker);
    worker.kill('ended');
  };

  const onEnd = (worker: ConnectorWorker): void => {
    clearTimeout(idle.get(worker));
    idle.delete(worker);
    if (busy.delete(worker)) pump();
  };

  const workerFor = (tenantId: string): ConnectorWorker => {
    const known = [...idle.keys()].find((worker) => worker.tenantId === tenantId);
    if (known === undefined) return new ConnectorWorker(tenantId, options, onEnd);
    clearTimeout(idle.get(known));
    idle.delete(known);
    return known;
  };

  const release = (worker: ConnectorWorker): void => {
    // A worker that is being killed counts until its process has exited.
    if (worker.isLost) return;
    if (closed || !worker.mayStay) return worker.kill('closed');
    busy.delete(worker);
    idle.set(
      worker,
      setTimeout(() => endIdle(worker), options.idleMs),
    );
    const [oldest] = idle.keys();
    if (idle.size > options.maxIdle && oldest !== undefined) endIdle(oldest);
    pump();
  };

  const busyOf = (tenantId: string): number =>
    [...busy].filter((worker) => worker.tenantId === tenantId).length;

  const pump = (): void => {
    while (busy.size < options.maxWorkers) {
      const next = queue.take((tenantId) => busyOf(tenantId) < perTenant);
      if (next === undefined) return;
      try {
        const worker = workerFor(next.tenantId);
        busy.add(worker);
        next.begin(worker);
      } catch {
        // The system cannot start another process.
        next.giveUp('start');
      }
    }
  };

  /** Waits for a worker for at most half of the operation's time. */
  const takeWorker = (tenantId: string, ctx: ConnectorContext): Promise<ConnectorWorker | Loss> => {
    const { promise, resolve, reject } = Promise.withResolvers<ConnectorWorker | Loss>();
    if (closed) return Promise.resolve('closed');
    if (ctx.signal.aborted) return Promise.resolve('cancelled');
    const byTenant = queue.waitingOf(tenantId) >= options.maxQueuedPerTenant;
    if (byTenant || queue.size >= options.maxQueued) throw new ConnectorsBusyError(byTenant);
    const leave = (): void => {
      clearTimeout(timer);
      ctx.signal.removeEventListener('abort', onAbort);
      waiting.delete(job);
      queue.remove(tenantId, job);
    };
    const job: Waiting = {
      tenantId,
      begin: (worker) => {
        leave();
        resolve(worker);
      },
      giveUp: (loss) => {
        leave();
        resolve(loss);
      },
    };
    const onAbort = () => job.giveUp('cancelled');
    const timer = setTimeout(() => {
      leave();
      reject(new ConnectorsBusyError(busyOf(tenantId) >= perTenant));
    }, ctx.operationTimeoutMs / 2);
    ctx.signal.addEventListener('abort', onAbort, { once: true });
    waiting.add(job);
    queue.add(tenantId, job);
    pump();
    return promise;
  };

  const run = async (tenantId: string, call: Call, ctx: ConnectorContext): Promise<Answer> => {
    const startedAtMs = performance.now();
    const worker = await takeWorker(tenantId, ctx);
    if (typeof worker === 'string') return lostOutcome(call, worker, false, startedAtMs);
    try {
      return await worker.run(call, ctx);
    } finally {
      release(worker);
    }
  };

  return {
    connector(given, tenantId) {
      const type = knownType(given);
      return {
        type,
        test: async (target, credential, ctx) =>
          (await run(tenantId, { type, operation: 'test', target, credential }, ctx)) as TestResult,
        verify: async (target, account, secret, ctx) =>
          (await run(tenantId, { type, operation: 'verify', target, account, secret }, ctx)) as VerifyResult,
        rotate: async (target, account, secrets, ctx) => {
          try {
            const call: Call = { type, operation: 'rotate', target, account, secrets };
            return (await run(tenantId, call, ctx)) as RotateResult;
          } catch (error) {
            if (!(error instanceof ConnectorsBusyError)) throw error;
            return { outcome: 'refused', kind: 'unreachable', reason: error.message };
          }
        },
        discover: async (target, credential, ctx) =>
          (await run(
            tenantId,
            { type, operation: 'discover', target, credential },
            ctx,
          )) as DiscoveredAccount[],
      };
    },
    state: () => ({
      busy: pidsOf(busy),
      idle: pidsOf(idle.keys()),
      queued: queue.size,
    }),
    async [Symbol.asyncDispose]() {
      closed = true;
      for (const job of waiting) job.giveUp('closed');
      for (const worker of idle.keys()) endIdle(worker);
      for (const worker of busy) worker.kill('closed');
    },
  };
}

function pidsOf(workers: Iterable<ConnectorWorker>): number[] {
  return [...workers].flatMap((worker) => (worker.pid === undefined ? [] : [worker.pid]));
}
