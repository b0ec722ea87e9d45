import { Redis } from 'ioredis';
import type { RedisAddress } from './election-store.ts';

/** How long a start waits for Redis; afterwards the service starts without it. */
const CONNECT_WITHIN_MS = 2_000;
const RECONNECT_MAX_MS = 1_000;

/**
 * Refuses a Redis that evicts keys. Revocations of sessions, jobs and the election are keys: evicting one
 * under memory pressure could make a revoked session valid again.
 */
export interface EvictionGuard extends AsyncDisposable {
  /** Throws when the last reached Redis evicts keys. */
  readonly check: () => Promise<void>;
}

/**
 * Throws when Redis evicts keys. If Redis is unreachable, the guard opens anyway and checks after each
 * connect, so that a replaced server is checked too.
 */
export async function openEvictionGuard(
  address: RedisAddress,
  connectWithinMs = CONNECT_WITHIN_MS,
): Promise<EvictionGuard> {
  const redis = new Redis({
    ...address,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: connectWithinMs,
    commandTimeout: connectWithinMs,
    retryStrategy: (attempt) => Math.min(RECONNECT_MAX_MS, 50 * attempt),
  });
  // The policy is unknown while Redis is unavailable.
  redis.on('error', () => {});
  let policy: string | undefined;
  const asked = Promise.withResolvers<void>();
  redis.on('ready', () => {
    // INFO instead of CONFIG, which managed servers refuse.
    redis.info('memory').then(
      (text) => {
        policy = /^maxmemory_policy:(\S+)/m.exec(text)?.[1];
        asked.resolve();
      },
      () => {},
    );
  });
  const timer = setTimeout(asked.resolve, connectWithinMs);
  await asked.promise;
  clearTimeout(timer);
  const check = async (): Promise<void> => {
    if (policy === undefined || policy === 'noeviction') return;
    throw new Error(
      `Redis at ${address.host}:${address.port} evicts keys (maxmemory-policy ${policy}), which would lose session revocations and ` +
        'jobs. Set "maxmemory-policy noeviction" in its configuration, or run: redis-cli CONFIG SET maxmemory-policy noeviction',
    );
  };
  const close = async (): Promise<void> => redis.disconnect();
  try {
    await check();
  } catch (error) {
    await close();
    throw error;
  }
  return { check, [Symbol.asyncDispose]: close };
}
