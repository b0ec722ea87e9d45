import type { Logger } from '@claviger/service-kit';
import { Redis } from 'ioredis';
import { type Gate, type GateAnswer, type Limit, type LimitState, liveKey, tightest } from './gate.ts';
import { GATE_SCRIPT } from './gcra-script.ts';
import type { LocalLimiter } from './local-limiter.ts';
import { gcraOf } from './tiers.ts';

const COMMAND_TIMEOUT_MS = 500;
const RECONNECT_MAX_MS = 1_000;
/** How long Redis is not used after a failure, so that a hanging Redis does not slow every request. */
const AWAY_MS = 1_000;

export interface RedisGateOptions {
  readonly redis: { readonly host: string; readonly port: number; readonly password: string };
  /** False: limits are not counted; the session's liveness is still read. */
  readonly limits: boolean;
  readonly local: LocalLimiter;
  readonly logger: Logger;
  /** Longest wait for an answer of Redis; default 500. */
  readonly commandTimeoutMs?: number | undefined;
}

type ScriptAnswer = [...[number, number, number, number][], string | null];

const NOTHING: GateAnswer = { limit: undefined, live: undefined };

interface GateRedis extends Redis {
  clavigerGate(...args: (string | number)[]): Promise<ScriptAnswer>;
}

/** The gate on Redis: one round trip for all limits of a request and the liveness of its session. */
export function createRedisGate(options: RedisGateOptions): Gate {
  const redis = new Redis({
    ...options.redis,
    // Requests do not wait for a connection; they proceed without Redis.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS,
    connectTimeout: 2_000,
    retryStrategy: (attempt) => Math.min(RECONNECT_MAX_MS, 50 * attempt),
  }) as GateRedis;
  redis.defineCommand('clavigerGate', { lua: GATE_SCRIPT });
  let awayUntilMs = 0;
  let away = false;
  let closed = false;
  const became = (nowAway: boolean, error?: unknown): void => {
    if (nowAway === away || closed) return;
    away = nowAway;
    if (nowAway)
      options.logger.warn(
        { err: error },
        'Redis is unavailable: limits are counted locally, and auth is asked for each request',
      );
    else options.logger.info('Redis is available again');
  };
  redis.on('error', (error) => became(true, error));
  const without = (limits: readonly Limit[], count: boolean): GateAnswer => {
    if (count) return { limit: tightest(options.local.check(limits)), live: undefined };
    options.local.giveBack(limits);
    return NOTHING;
  };
  /** @param count False to give back. */
  const ask = async (
    all: readonly Limit[],
    sessionId: string | undefined,
    count: boolean,
  ): Promise<GateAnswer> => {
    const limits = options.limits ? all : [];
    if (limits.length === 0 && sessionId === undefined) return NOTHING;
    if (redis.status !== 'ready' || Date.now() < awayUntilMs) return without(limits, count);
    const keys = limits.map((limit) => limit.key);
    if (sessionId !== undefined) keys.push(liveKey(sessionId));
    const costs = limits.flatMap(({ tier }) => {
      const { costMs, burstMs } = gcraOf(tier);
      return [costMs, burstMs];
    });
    try {
      const answer = await redis.clavigerGate(
        keys.length,
        ...keys,
        sessionId === undefined ? 0 : 1,
        ...costs,
        count ? 0 : 1,
      );
      became(false);
      if (!count) return NOTHING;
      return {
        limit: tightest(limits.map(({ tier }, index) => limitState(tier, answer[index]))),
        live: (answer[limits.length] as string | null) ?? undefined,
      };
    } catch (error) {
      awayUntilMs = Date.now() + AWAY_MS;
      became(true, error);
      return without(limits, count);
    }
  };
  return {
    check: (limits, sessionId) => ask(limits, sessionId, true),
    giveBack: async (limits) => {
      await ask(limits, undefined, false);
    },
    connected: async (withinMs) => {
      if (redis.status === 'ready') return;
      // `once` of node:events would reject at the first failed attempt.
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, withinMs);
        redis.once('ready', () => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
    ping: async () => {
      if (redis.status !== 'ready') throw new Error('not connected');
      await redis.ping();
    },
    close: () => {
      closed = true;
      redis.disconnect();
    },
  };
}

function limitState(tier: Limit['tier'], answer: ScriptAnswer[number] | undefined): LimitState {
  const [allowed, remaining, retryAfterMs, resetMs] = answer as [number, number, number, number];
  return { tier, allowed: allowed === 1, remaining, retryAfterMs, resetMs };
}
