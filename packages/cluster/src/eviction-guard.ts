import { Redis } from 'ioredis';
import type { RedisAddress } from './election-store.ts';

/** How long a start waits for Redis: a service starts without it, too. */
const CONNECT_WITHIN_MS = 2_000;
const RECONNECT_MAX_MS = 1_000;

/**
 * Refuses a Redis that evicts keys. Revoked sessions, jobs and the election are keys: a server that may drop them under
 * memory pressure can bring a revoked session back to life.
 */
export interface EvictionGuard extends AsyncDisposable {
  /** Throws when the Redis that was reached last evicts keys. */
  readonly check: () => Promise<void>;
}

/**
 * Throws when Redis evicts keys. When Redis cannot be reached in time the guard is open all the same, and asks as soon as
 * there is a connection: once at each, so that a server that replaces another is asked, too.
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
  // While Redis is away there is no policy to judge.
  redis.on('error', () => {});
  let policy: string | undefined;
  const asked = Promise.withResolvers<void>();
  redis.on('ready', () => {
    // INFO and not CONFIG: managed servers refuse CONFIG.
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
      `Redis at ${address.host}:${address.port} evicts keys (maxmemory-policy ${policy}): revoked sessions and jobs would be ` +
        'lost. Set "maxmemory-policy noeviction" in its configuration, or run: redis-cli CONFIG SET maxmemory-policy noeviction',
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
