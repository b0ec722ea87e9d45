import { randomBytes } from 'node:crypto';
import type { Logger, ReportAnomaly } from '@claviger/service-kit';
import { nodeNameTwice, type ReplicaDetails } from './cluster.ts';
import { DEFAULT_TIMING } from './election-rules.ts';
import { createElectionStore, KEEP_MS, type RedisAddress } from './election-store.ts';

/** Shows a replica of a service without duties in the cluster status. Nothing else depends on it. */
export function registerReplica(options: {
  readonly service: string;
  readonly node: string;
  readonly version: string;
  readonly redis: RedisAddress;
  readonly logger: Logger;
  readonly reportAnomaly?: ReportAnomaly;
}): AsyncDisposable {
  const { service, node, version, logger } = options;
  const { leaseMs, renewMs } = DEFAULT_TIMING;
  const claim = randomBytes(12).toString('base64url');
  const store = createElectionStore<ReplicaDetails>(service, options.redis, renewMs);
  const details: ReplicaDetails = { version, startedAt: Date.now(), role: 'serving', term: 0, duties: [] };
  const stop = new AbortController();
  const beating = (async () => {
    while (!stop.signal.aborted) {
      await store
        .turn({
          node,
          claim,
          leaseMs,
          keepMs: KEEP_MS,
          candidacyMs: 0,
          details,
          stand: false,
          demoted: false,
          process: claim,
        })
        .then(({ twice }) => {
          if (twice) options.reportAnomaly?.(nodeNameTwice(service, node));
        })
        .catch((error: unknown) => logger.debug({ err: error }, 'cannot send the heartbeat to Redis'));
      await pause(renewMs, stop.signal);
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await beating;
      await store.release(node, claim, true).catch(() => {});
      store.close();
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
