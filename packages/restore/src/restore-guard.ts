import type { Database } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { alignDelay, type Logger } from '@claviger/service-kit';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import type { RestoreSchema } from './schema.ts';

export interface RestoreGuardOptions<DB> {
  readonly database: Database<DB>;
  readonly redis: { readonly host: string; readonly port: number; readonly password: string };
  readonly logger: Logger;
  /**
   * Work of this replica outside the database when a restore is finished, before it serves again. It may run
   * again: before the epoch is stored, and in every other replica that sees the new epoch.
   */
  readonly onRestored?: ((epoch: number) => Promise<void>) | undefined;
}

/** Detects that this service's database is older than the state known outside of it. */
export interface RestoreGuard extends AsyncDisposable {
  /** The epoch of the database, as last read. */
  epoch(): number;
  /** The newest epoch known in Redis; the database's own while Redis is unavailable. */
  outsideEpoch(): number;
  /** Why calls must be refused; undefined otherwise. */
  problem(): string | undefined;
  /** Compares both epochs now, without waiting for the next poll. */
  refresh(): Promise<void>;
  /** Throws `unavailable` with the code `restore_unfinished` while calls must be refused. */
  refuse(): void;
  /**
   * Reports evidence that the database was restored to an older state: no service serves until the restore is
   * finished. Only the first evidence counts until then.
   */
  reportEvidence(evidence: string): void;
  /** Stores an epoch in Redis. Throws `unavailable` when Redis is unreachable. */
  begin(epoch: number): Promise<void>;
  /** Stores the epoch in the database and serves again. A new epoch also raises the terms of leaders. */
  finish(epoch: number): Promise<void>;
}

const KEY = 'claviger:restore:epoch';
const POLL_MS = 2_000;
const CONNECT_WITHIN_MS = 2_000;
/** Stores and returns the greater value; the epoch in Redis never decreases. */
const RAISE = `
local outside = tonumber(redis.call('GET', KEYS[1]) or '0')
local wanted = tonumber(ARGV[1])
if wanted > outside then redis.call('SET', KEYS[1], ARGV[1]) return wanted end
return outside`;

/** Reads both epochs before it resolves. Starts without Redis, and compares when Redis answers. */
export async function openRestoreGuard<DB>(options: RestoreGuardOptions<DB>): Promise<RestoreGuard> {
  const { logger } = options;
  const database = options.database as unknown as Database<RestoreSchema>;
  const redis = new Redis({
    ...options.redis,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_WITHIN_MS,
    commandTimeout: CONNECT_WITHIN_MS,
    retryStrategy: (attempt) => Math.min(1_000, 50 * attempt),
  });
  // Each use reports its own failure.
  redis.on('error', () => {});
  /** Undefined until the database answers. */
  let own = await readEpoch(database).catch(() => undefined);
  let outside = own ?? 0;
  let evidence: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let looking: Promise<void> = Promise.resolve();

  const raise = async (epoch: number): Promise<number> =>
    Number(await redis.eval(RAISE, 1, KEY, String(epoch)));

  const problem = (): string | undefined => {
    if (own === undefined) return 'the restore epoch of the database is not yet known';
    if (evidence !== undefined) return evidence;
    if (outside <= own) return undefined;
    return `the database has restore epoch ${own} but Redis has epoch ${outside}: the database was restored to an older state`;
  };

  const restored = async (epoch: number): Promise<void> => {
    await options.onRestored?.(epoch);
    evidence = undefined;
    own = epoch;
  };

  const look = async (): Promise<void> => {
    const before = problem();
    // Raising the epoch in Redis stops the other services too: none of their databases has it.
    own ??= await readEpoch(database);
    outside = await raise(evidence === undefined ? own : own + 1);
    const stored = await readEpoch(database);
    if (stored > own) await restored(stored);
    // The database was restored while the service runs.
    if (stored < own) own = stored;
    const now = problem();
    if (now !== before && now !== undefined)
      logger.error(
        { alert: 'restore_unfinished', problem: now },
        'calls are refused: run `claviger restore finish`',
      );
    if (now === undefined && before !== undefined) logger.info({ epoch: own }, 'the restore is finished');
  };
  const lookAgain = (): Promise<void> => {
    // Without Redis or the database, the last known state stays valid.
    looking = looking
      .then(look)
      .catch((error) => logger.debug({ err: error }, 'cannot compare the restore epochs'));
    return looking;
  };
  const poll = (): void => {
    timer = setTimeout(() => {
      void lookAgain().then(() => {
        if (!closed) poll();
      });
    }, alignDelay(POLL_MS));
    timer.unref();
  };
  await connected(redis);
  await lookAgain();
  poll();

  return {
    epoch: () => own ?? 0,
    outsideEpoch: () => outside,
    problem,
    refresh: lookAgain,
    refuse: () => {
      if (problem() === undefined) return;
      if (own === undefined)
        throw new ClavigerError('unavailable', 'The database cannot be reached.', { retryAfterSeconds: 1 });
      throw new ClavigerError('unavailable', 'A restore of the database is not finished.', {
        code: 'restore_unfinished',
        hint: 'An operator must run `claviger restore finish`.',
      });
    },
    reportEvidence: (found) => {
      if (evidence !== undefined) return;
      evidence = found;
      logger.error(
        { alert: 'restore_unfinished', problem: found },
        'calls are refused: run `claviger restore finish`',
      );
      void lookAgain();
    },
    begin: async (epoch) => {
      try {
        outside = await raise(epoch);
      } catch (cause) {
        throw new ClavigerError(
          'unavailable',
          'Redis cannot be reached, so the other services cannot be stopped.',
          {
            cause,
            retryAfterSeconds: 1,
          },
        );
      }
    },
    finish: async (epoch) => {
      await options.onRestored?.(epoch);
      await database.system((tx) => sql`SELECT finish_restore(${epoch})`.execute(tx));
      await lookAgain();
    },
    [Symbol.asyncDispose]: async () => {
      closed = true;
      clearTimeout(timer);
      await looking;
      redis.disconnect();
    },
  };
}

async function readEpoch(database: Database<RestoreSchema>): Promise<number> {
  const [row] = await database.systemQuery((reader) =>
    reader.selectFrom('restore_epoch').select('epoch').compile(),
  );
  return row!.epoch;
}

/** Waits briefly while the connection is being opened. */
async function connected(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, CONNECT_WITHIN_MS);
    redis.once('ready', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
