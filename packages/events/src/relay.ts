import { type DutyHost, type DutyLag, type Leadership, LeadershipLost, startDuty } from '@claviger/cluster';
import type { Database } from '@claviger/database';
import { inSpans, type Logger, SpanKind } from '@claviger/service-kit';
import { sql } from 'kysely';
import { startCleaner } from './clean-outbox.ts';
import { MESSAGE_COLUMNS, markPublished, messageOf } from './outbox-rows.ts';
import { publishInTime } from './publish-in-time.ts';
import type { Publisher } from './publisher.ts';
import { createQuarantine } from './quarantine.ts';
import { republish } from './republish.ts';
import type { OutboxSchema } from './schema.ts';

export interface Relay extends AsyncDisposable {
  /** Publishes the pending rows if this replica leads; resolves to their number. */
  runOnce(): Promise<number>;
  /** This replica writes a row of this kind: looks often for a while, because it is about to be committed. */
  expect(kind: string): void;
}

const BATCH = 200;
const POLL_MS = 100;
/** While this replica writes nothing: rows of other replicas wait at most this long. */
const IDLE_POLL_MS = 500;
/** Between runs of an idle lane, which checks the store of its messages. */
const IDLE_LANE_MS = 5_000;
/** How long after a row was written here the relay looks often: its transaction ends by then. */
const BUSY_MS = 2_000;
const STORE_CHECK_MS = 10_000;
const LAG_LIMIT = 10_000;

/**
 * Publishes outbox rows at least once, in batches, by `published_at IS NULL`; ids do not follow the order of
 * commits. It is a duty of the leader, whose term is asserted when rows are marked, so rows need no claim.
 * During a change of leaders both may publish a row; consumers recognise its id. Each kind of message has its
 * own duty, so that one unavailable server does not block the others; one query for all kinds wakes those
 * that are idle. A second duty per kind checks published messages (`clean-outbox.ts`).
 */
export function startRelay<DB extends OutboxSchema>(options: {
  database: Database<DB>;
  logger: Logger;
  cluster: DutyHost;
  /** Keyed by the first part of the subject: `audit`, `event`, `job`. */
  publishers: Readonly<Record<string, Publisher>>;
}): Relay {
  const database = options.database as unknown as Database<OutboxSchema>;
  const { logger, cluster } = options;
  const lanes = new Map(
    Object.entries(options.publishers).map(([kind, publisher]) => [
      kind,
      startLane({ database, logger, cluster, kind, publisher }),
    ]),
  );
  const watch = startDuty({
    cluster,
    name: 'outbox watch',
    everyMs: IDLE_POLL_MS,
    run: async () => {
      const idle = [...lanes].filter(([, lane]) => lane.idle()).map(([kind]) => kind);
      if (idle.length === 0) return;
      const waiting = await database.systemQuery((reader) =>
        sql<{ kind: string }>`SELECT lane AS kind FROM unnest(${idle}::text[]) AS lane
          WHERE EXISTS (SELECT FROM outbox WHERE published_at IS NULL AND kind = lane)`.compile(reader),
      );
      for (const { kind } of waiting) lanes.get(kind)?.wake();
    },
  });
  return {
    runOnce: async () => {
      const counts = await Promise.all([...lanes.values()].map((lane) => lane.runOnce(required(cluster))));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    expect: (kind) => lanes.get(kind)?.expectRow(),
    [Symbol.asyncDispose]: async () => {
      const duties = [watch, ...[...lanes.values()].flatMap((lane) => lane.duties)];
      await Promise.all(duties.map((duty) => duty[Symbol.asyncDispose]()));
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
  const quarantine = createQuarantine();
  let storeCheckedAt = 0;
  let knownStore: number | undefined;
  let busyUntil = 0;
  /** The last run succeeded and found nothing. A failing lane keeps its growing pause. */
  let idle = false;

  // Only the first and the last step are transactions, so a hanging server holds no connection, lock or term.
  // After a crash between the steps the rows are published again.
  const runOnce = async (leadership: Leadership): Promise<number> => {
    const rows = await database.systemQuery((reader) =>
      reader
        .selectFrom('outbox')
        .select(MESSAGE_COLUMNS)
        .where('published_at', 'is', null)
        .where('kind', '=', kind)
        .where(sql<boolean>`event_id <> ALL (${quarantine.now()}::uuid[])`)
        .orderBy('created_at')
        .limit(BATCH)
        .compile(),
    );
    if (rows.length === 0) return 0;
    const messages = rows.map(messageOf);
    const parents = messages.map((message) => message.traceparent);
    const refused = await inSpans('outbox relay', SpanKind.PRODUCER, parents, () =>
      publishInTime(publisher, messages),
    );
    for (const [eventId, reason] of refused) {
      quarantine.add(eventId);
      logger.error(
        { eventId, kind, reason },
        'an outbox row cannot be published; it is quarantined for five minutes',
      );
    }
    await markPublished(
      database,
      leadership,
      messages.filter((message) => !refused.has(message.eventId)),
    );
    return rows.length;
  };

  /** A store that was created after rows were published to it has lost them. */
  const checkStore = async ({ signal }: Leadership): Promise<void> => {
    if (!publisher.storeCreatedAt || Date.now() - storeCheckedAt < STORE_CHECK_MS) return;
    const createdAt = await publisher.storeCreatedAt();
    if (createdAt.getTime() !== knownStore) {
      const count = await republish(database, kind, publisher, createdAt, signal);
      // A new leader does not know which store received older rows, so it publishes them again.
      if (count > 0 && knownStore === undefined)
        logger.info(
          { kind, count },
          'published again what may have been published before the store was created',
        );
      else if (count > 0)
        logger.warn(
          { kind, count },
          'the store of published messages was recreated; messages were published again',
        );
      knownStore = createdAt.getTime();
    }
    storeCheckedAt = Date.now();
  };

  const run = async (leadership: Leadership): Promise<{ nextInMs: number } | undefined> => {
    idle = false;
    try {
      await checkStore(leadership);
      const published = await runOnce(leadership);
      if (published === BATCH) return { nextInMs: 0 };
      idle = published === 0 && performance.now() >= busyUntil;
      return { nextInMs: idle ? IDLE_LANE_MS : POLL_MS };
    } catch (error) {
      storeCheckedAt = 0;
      throw error;
    }
  };

  const lag = async (): Promise<DutyLag> => {
    // Counts up to a limit, so that the status stays cheap with a long backlog.
    const [row] = await database.systemQuery((reader) =>
      sql<{ waiting: number; oldest_ms: number | null }>`
        SELECT count(*)::int AS waiting, (extract(epoch FROM clock_timestamp() - min(created_at)) * 1000)::bigint AS oldest_ms
        FROM (SELECT created_at FROM outbox WHERE published_at IS NULL AND kind = ${kind}
          ORDER BY created_at LIMIT ${LAG_LIMIT}) AS waiting`.compile(reader),
    );
    return { waiting: row?.waiting ?? 0, oldestMs: Math.max(0, row?.oldest_ms ?? 0) };
  };

  const duty = startDuty({ cluster, name: `outbox relay: ${kind}`, everyMs: POLL_MS, run, lag });
  const cleaner = startCleaner({ database, logger, cluster, kind, publisher });
  const expectRow = (): void => {
    const wasBusy = performance.now() < busyUntil;
    busyUntil = performance.now() + BUSY_MS;
    if (!wasBusy) duty.wake();
  };
  return { runOnce, expectRow, wake: duty.wake, idle: () => idle, duties: [duty, cleaner] };
}
