import type { Database } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Logger } from '@claviger/service-kit';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import type { RestoreSchema } from './schema.ts';

export interface RestoreGuardOptions<DB> {
  readonly database: Database<DB>;
  readonly redis: { readonly host: string; readonly port: number; readonly password: string };
  readonly logger: Logger;
  /**
   * What this replica does outside the database when a restore is finished, before it serves again. May be repeated: it runs
   * before the epoch is stored, and in every other replica when that sees the new epoch.
   */
  readonly onRestored?: ((epoch: number) => Promise<void>) | undefined;
}

/** Whether this service's database is older than what is known outside of it. */
export interface RestoreGuard extends AsyncDisposable {
  /** Of the database, as last read. */
  epoch(): number;
  /** The newest that is known outside; the database's own while Redis is away. */
  outsideEpoch(): number;
  /** Why nothing may be served; undefined while all is well. */
  problem(): string | undefined;
  /** Compares both epochs now, without waiting for the next poll. */
  refresh(): Promise<void>;
  /** Throws `unavailable` with the code `restore_unfinished` while nothing may be served. */
  refuse(): void;
  /**
   * Evidence that the database was restored to an older state: no service serves until the restore is
   * finished. Until then only the first evidence counts.
   */
  seesFuture(evidence: string): void;
  /** Makes an epoch known outside. Throws `unavailable` when Redis cannot be reached. */
  begin(epoch: number): Promise<void>;
  /** Stores the epoch in the database and serves again. Raises the terms of leaders when it is new. */
  finish(epoch: number): Promise<void>;
}

const KEY = 'claviger:restore:epoch';
const POLL_MS = 2_000;
const CONNECT_WITHIN_MS = 2_000;
/** Answers the greater of the two; what is outside never goes back. */
const RAISE = `
local outside = tonumber(redis.call('GET', KEYS[1]) or '0')
local wanted = tonumber(ARGV[1])
if wanted > outside then redis.call('SET', KEYS[1], ARGV[1]) return wanted end
return outside`;

/** Reads both epochs before it resolves. Starts without Redis, and compares as soon as Redis answers. */
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
  /** Undefined while the database has not answered yet. */
  let own = await readEpoch(database).catch(() => undefined);
  let outside = own ?? 0;
  let evidence: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let looking: Promise<void> = Promise.resolve();

  const raise = async (epoch: number): Promise<number> =>
    Number(await redis.eval(RAISE, 1, KEY, String(epoch)));

  const problem = (): string | undefined => {
    if (own === undefined) return 'the restore epoch of the database is not known yet';
    if (evidence !== undefined) return evidence;
    if (outside <= own) return undefined;
    return `the database is of restore epoch ${own}, outside of it epoch ${outside} is known: it was restored to an older state`;
  };

  const restored = async (epoch: number): Promise<void> => {
    await options.onRestored?.(epoch);
    evidence = undefined;
    own = epoch;
  };

  const look = async (): Promise<void> => {
    const before = problem();
    // Evidence stops the others, too: they see an epoch that none of their databases has.
    own ??= await readEpoch(database);
    outside = await raise(evidence === undefined ? own : own + 1);
    const stored = await readEpoch(database);
    if (stored > own) await restored(stored);
    // It was restored under the running service.
    if (stored < own) own = stored;
    const now = problem();
    if (now !== before && now !== undefined)
      logger.error(
        { alert: 'restore_unfinished', problem: now },
        'nothing is served: run `claviger restore finish`',
      );
    if (now === undefined && before !== undefined) logger.info({ epoch: own }, 'the restore is finished');
  };
  const lookAgain = (): Promise<void> => {
    // Without Redis or the database nothing changes: what was known last holds.
    looking = looking
      .then(look)
      .catch((error) => logger.debug({ err: error }, 'restore epochs not compared'));
    return looking;
  };
  const poll = (): void => {
    timer = setTimeout(() => {
      void lookAgain().then(() => {
        if (!closed) poll();
      });
    }, POLL_MS);
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
      throw new ClavigerError('unavailable', 'A restore of the database was not finished.', {
        code: 'restore_unfinished',
        hint: 'An operator runs `claviger restore finish`.',
      });
    },
    seesFuture: (found) => {
      if (evidence !== undefined) return;
      evidence = found;
      logger.error(
        { alert: 'restore_unfinished', problem: found },
        'nothing is served: run `claviger restore finish`',
      );
      void lookAgain();
    },
    begin: async (epoch) => {
      try {
        outside = await raise(epoch);
      } catch (cause) {
        throw new ClavigerError(
          'unavailable',
          'Redis cannot be reached: without it no other service would know.',
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
  const { epoch } = await database.system((tx) =>
    tx.selectFrom('restore_epoch').select('epoch').executeTakeFirstOrThrow(),
  );
  return epoch;
}

/** A connection that is only just being made is worth a short wait. */
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
