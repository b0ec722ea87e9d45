import { ClavigerError } from '@claviger/errors';
import type { Logger } from '@claviger/service-kit';
import { Redis } from 'ioredis';

const LIVE_TTL_SECONDS = 60;
/** Longer than any access token and any call in flight. */
const REVOKED_TTL_SECONDS = 900;
const REVOKED = 'revoked';
const TELL_WITHIN_MS = 2_000;
const RETRY_MS = 100;
const COMMAND_TIMEOUT_MS = 500;

/** Keeps `revoked` and a higher epoch; answers what stands there afterwards. */
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
 * What gateways may remember of sessions, in Redis. PostgreSQL is the truth; here lies only what saves asking it:
 * `claviger:live:{<session>}` is the epoch of a session that was alive within the last minute, or `revoked`.
 */
export interface Liveness {
  /**
   * Notes that the session is alive at this epoch. Answers `revoked` or a higher epoch when somebody noted that
   * meanwhile. Without Redis it answers the given epoch: gateways then ask every time.
   */
  remember(session: LiveSession): Promise<number | 'revoked'>;
  /** Call after the commit and before the answer. Throws `unavailable` when gateways could not be told. */
  revoke(sessionIds: readonly string[]): Promise<void>;
  /** Makes gateways ask again. As `revoke`. */
  raise(sessions: readonly LiveSession[]): Promise<void>;
  /** Removes what is remembered of all sessions, so that gateways ask for each. As `revoke`. */
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
  // Each use reports its own failure.
  redis.on('error', () => {});

  const raiseOne = async ({ sessionId, epoch }: LiveSession): Promise<number | 'revoked'> => {
    const value = await redis.eval(RAISE, 1, keyOf(sessionId), String(epoch), String(LIVE_TTL_SECONDS));
    return value === REVOKED ? REVOKED : Number(value);
  };

  const tell = async (work: () => Promise<unknown>): Promise<void> => {
    const deadline = performance.now() + TELL_WITHIN_MS;
    for (;;) {
      try {
        await work();
        return;
      } catch (cause) {
        if (performance.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
          continue;
        }
        // A gateway that still reaches Redis may go on believing what it remembers: this must not look like success.
        throw new ClavigerError('unavailable', 'The change is stored, but not every gateway knows it yet.', {
          cause,
          code: 'liveness_unavailable',
          retryAfterSeconds: 2,
          hint: 'Repeat the request: doing it twice does no harm. It takes effect within a minute in any case.',
        });
      }
    }
  };

  return {
    remember: async (session) => {
      try {
        return await raiseOne(session);
      } catch (error) {
        options.logger.debug({ err: error }, 'Redis is away: gateways ask for each request');
        return session.epoch;
      }
    },
    revoke: (sessionIds) =>
      tell(() =>
        Promise.all(sessionIds.map((id) => redis.set(keyOf(id), REVOKED, 'EX', REVOKED_TTL_SECONDS))),
      ),
    raise: (sessions) => tell(() => Promise.all(sessions.map(raiseOne))),
    forgetAll: () =>
      tell(async () => {
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
