import { ClavigerError } from '@claviger/errors';
import type { Logger } from '@claviger/service-kit';
import { Redis } from 'ioredis';

const LIVE_TTL_SECONDS = 60;
/** Longer than any access token and any call in progress. */
const REVOKED_TTL_SECONDS = 900;
const REVOKED = 'revoked';
const NOTIFY_WITHIN_MS = 2_000;
const RETRY_MS = 100;
const COMMAND_TIMEOUT_MS = 500;

/** Keeps `revoked` and higher epochs; returns the resulting value. */
const RAISE = `
local current = redis.call('GET', KEYS[1])
if current == '${REVOKED}' then return current end
if current and tonumber(current) > tonumber(ARGV[1]) then return current end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return ARGV[1]`;

export interface LiveSession {
  readonly sessionId: string;
  readonly epoch: number;
}

/**
 * The cache in Redis in which gateways look up sessions; PostgreSQL is authoritative. The value of
 * `claviger:live:{<session>}` is `revoked`, or the epoch of a session that was alive within the last minute.
 */
export interface Liveness {
  /**
   * Stores that the session is alive at this epoch. Returns `revoked` or a higher epoch if one was stored in
   * between. Without Redis it returns the given epoch; gateways then introspect each request.
   */
  remember(session: LiveSession): Promise<number | 'revoked'>;
  /** Call after the commit and before the answer. Throws `unavailable` if gateways could not be notified. */
  revoke(sessionIds: readonly string[]): Promise<void>;
  /** Makes gateways introspect again. Otherwise like `revoke`. */
  raise(sessions: readonly LiveSession[]): Promise<void>;
  /** Removes the entries of all sessions, so that gateways introspect each. Otherwise like `revoke`. */
  forgetAll(): Promise<void>;
  ping(): Promise<void>;
  close(): void;
}

export function createLiveness(options: {
  host: string;
  port: number;
  password: string;
  logger: Logger;
}): Liveness {
  const redis = new Redis({
    host: options.host,
    port: options.port,
    password: options.password,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: 2_000,
    retryStrategy: (attempt) => Math.min(50 * attempt, 1_000),
  });
  // Each command reports its own failure.
  redis.on('error', () => {});

  const raiseOne = async ({ sessionId, epoch }: LiveSession): Promise<number | 'revoked'> => {
    const value = await redis.eval(RAISE, 1, keyOf(sessionId), String(epoch), String(LIVE_TTL_SECONDS));
    return value === REVOKED ? REVOKED : Number(value);
  };

  const notify = async (work: () => Promise<unknown>): Promise<void> => {
    const deadline = performance.now() + NOTIFY_WITHIN_MS;
    for (;;) {
      try {
        await work();
        return;
      } catch (cause) {
        if (performance.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
          continue;
        }
        // A gateway that reaches Redis may still accept its cached entry, so this must not look like success.
        throw new ClavigerError(
          'unavailable',
          'The change is stored, but not every gateway has applied it yet.',
          {
            cause,
            code: 'liveness_unavailable',
            retryAfterSeconds: 2,
            hint: 'Repeat the request; this is safe. The change takes effect within a minute in any case.',
          },
        );
      }
    }
  };

  return {
    remember: async (session) => {
      try {
        return await raiseOne(session);
      } catch (error) {
        options.logger.debug({ err: error }, 'Redis is unavailable: gateways introspect each request');
        return session.epoch;
      }
    },
    revoke: (sessionIds) =>
      notify(() =>
        Promise.all(sessionIds.map((id) => redis.set(keyOf(id), REVOKED, 'EX', REVOKED_TTL_SECONDS))),
      ),
    raise: (sessions) => notify(() => Promise.all(sessions.map(raiseOne))),
    forgetAll: () =>
      notify(async () => {
        for await (const keys of redis.scanStream({ match: keyOf('*'), count: 1_000 }))
          if (keys.length > 0) await redis.unlink(keys as string[]);
      }),
    ping: async () => {
      await redis.ping();
    },
    close: () => redis.disconnect(),
  };
}

const keyOf = (sessionId: string): string => `claviger:live:{${sessionId}}`;
