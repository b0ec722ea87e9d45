import { type DutyHost, type DutyLag, type Leadership, LeadershipLost, startDuty } from '@claviger/cluster';
import type { Database } from '@claviger/database';
import { inSpans, type Logger, SpanKind } from '@claviger/service-kit';
import { sql } from 'kysely';
import { startCleaner } from './clean-outbox.ts';
import { MESSAGE_COLUMNS, markPublished, messageOf } from './outbox-rows.ts';
import { publishInTime } from './publish-in-time.ts';
import type { Publisher } from './publisher.ts';
import { republish } from './republish.ts';
import type { OutboxSchema } from './schema.ts';
import { createSetAside } from './set-aside.ts';

export interface Relay extends AsyncDisposable {
  /** Publishes what is there now, where this replica leads; answers how many. */
  runOnce(): Promise<number>;
}

const BATCH = 200;
const POLL_MS = 100;
const STORE_CHECK_MS = 10_000;
const LAG_LIMIT = 10_000;

/**
 * Publishes outbox rows at least once, in batches, by `published_at IS NULL`: never by an id, whose order is not the order
 * of commits. A duty of the leader, whose term is asserted where rows are marked: a row needs no claim besides. While one
 * leader follows another both may publish a row; its id makes them one. Each kind of message has a duty of its own: while
 * the server of one is away, the others flow. Another duty of each kind follows what was published (`clean-outbox.ts`).
 */
export function startRelay<DB extends OutboxSchema>(options: {
  database: Database<DB>;
  logger: Logger;
  cluster: DutyHost;
  /** By the first part of the subject: `audit`, `event`, `job`. */
  publishers: Readonly<Record<string, Publisher>>;
}): Relay {
  const database = options.database as unknown as Database<OutboxSchema>;
  const { logger, cluster } = options;
  const lanes = Object.entries(options.publishers).map(([kind, publisher]) =>
    startLane({ database, logger, cluster, kind, publisher }),
  );
  return {
    runOnce: async () => {
      const counts = await Promise.all(lanes.map((lane) => lane.runOnce(required(cluster))));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(lanes.flatMap(({ duties }) => duties.map((duty) => duty[Symbol.asyncDispose]())));
    },
  };
}

function required(cluster: DutyHost): Leadership {
  const leadership = cluster.leadership();
  if (!leadership) throw new LeadershipLost('This replica does not lead.');
  return leadership;
}

interface LaneOptions {
  readonly database: Database<OutboxSchema>;
  readonly logger: Logger;
  readonly cluster: DutyHost;
  readonly kind: string;
  readonly publisher: Publisher;
}

function startLane({ database, logger, cluster, kind, publisher }: LaneOptions) {
  const setAside = createSetAside();
  let storeCheckedAt = 0;
  let knownStore: number | undefined;

  // Three steps, and only the first and the last are transactions: a server that hangs holds no connection of the pool, no
  // lock and no term. A crash between the steps has the rows published again.
  const runOnce = async (leadership: Leadership): Promise<number> => {
    const rows = await database.system((tx) =>
      tx
        .selectFrom('outbox')
        .select(MESSAGE_COLUMNS)
        .where('published_at', 'is', null)
        .where('kind', '=', kind)
        .where(sql<boolean>`event_id <> ALL (${setAside.now()}::uuid[])`)
        .orderBy('created_at')
        .limit(BATCH)
        .execute(),
    );
    if (rows.length === 0) return 0;
    const messages = rows.map(messageOf);
    const parents = messages.map((message) => message.traceparent);
    const refused = await inSpans('outbox relay', SpanKind.PRODUCER, parents, () =>
      publishInTime(publisher, messages),
    );
    for (const [eventId, reason] of refused) {
      setAside.add(eventId);
      logger.error({ eventId, kind, reason }, 'an outbox row cannot be published: it was set aside');
    }
    await markPublished(
      database,
      leadership,
      messages.filter((message) => !refused.has(message.eventId)),
    );
    return rows.length;
  };

  /** A store that is newer than what was published to it has lost it. */
  const checkStore = async ({ signal }: Leadership): Promise<void> => {
    if (!publisher.storeCreatedAt || Date.now() - storeCheckedAt < STORE_CHECK_MS) return;
    const createdAt = await publisher.storeCreatedAt();
    if (createdAt.getTime() !== knownStore) {
      const count = await republish(database, kind, publisher, createdAt, signal);
      // Whoever begins to lead does not know which store took them over, and sends again what may be older than this one.
      if (count > 0 && knownStore === undefined)
        logger.info({ kind, count }, 'what may have been published before the store was made was sent again');
      else if (count > 0) logger.warn({ kind, count }, 'the store of published messages is new: sent again');
      knownStore = createdAt.getTime();
    }
    storeCheckedAt = Date.now();
  };

  const run = async (leadership: Leadership): Promise<{ nextInMs: number } | undefined> => {
    try {
      await checkStore(leadership);
      const published = await runOnce(leadership);
      return { nextInMs: published === BATCH ? 0 : POLL_MS };
    } catch (error) {
      storeCheckedAt = 0;
      throw error;
    }
  };

  const lag = (): Promise<DutyLag> =>
    database.system(async (tx) => {
      // Counted to a limit: the status must not cost more the worse things are.
      const { rows } = await sql<{ waiting: number; oldest_ms: number | null }>`
        SELECT count(*)::int AS waiting, (extract(epoch FROM clock_timestamp() - min(created_at)) * 1000)::bigint AS oldest_ms
        FROM (SELECT created_at FROM outbox WHERE published_at IS NULL AND kind = ${kind}
          ORDER BY created_at LIMIT ${LAG_LIMIT}) AS waiting`.execute(tx);
      return { waiting: rows[0]?.waiting ?? 0, oldestMs: Math.max(0, rows[0]?.oldest_ms ?? 0) };
    });

  const duty = startDuty({ cluster, name: `outbox relay: ${kind}`, everyMs: POLL_MS, run, lag });
  const cleaner = startCleaner({ database, logger, cluster, kind, publisher });
  return { runOnce, duties: [duty, cleaner] };
}
