import type { Database } from '@claviger/database';
import { inSpans, type Logger, SpanKind } from '@claviger/service-kit';
import { sql } from 'kysely';
import { createCleaner } from './clean-outbox.ts';
import { startLoop } from './loop.ts';
import { publishInTime } from './publish-in-time.ts';
import type { Publisher } from './publisher.ts';
import { messageOf, republish } from './republish.ts';
import type { OutboxSchema } from './schema.ts';
import { createSetAside } from './set-aside.ts';

export interface Relay extends AsyncDisposable {
  /** Publishes what is there now; answers how many. */
  runOnce(): Promise<number>;
}

const BATCH = 200;
const POLL_MS = 100;
const MAX_BACKOFF_MS = 5_000;
const STORE_CHECK_MS = 10_000;

/**
 * Publishes outbox rows at least once, in batches, by `published_at IS NULL … SKIP LOCKED`: never by an id, whose order
 * is not the order of commits. Any number of replicas may run it. Each kind of message has a loop of its own: while the
 * server of one is away, the others flow.
 */
export function startRelay<DB extends OutboxSchema>(options: {
  database: Database<DB>;
  logger: Logger;
  /** By the first part of the subject: `audit`, `event`, `job`. */
  publishers: Readonly<Record<string, Publisher>>;
}): Relay {
  const database = options.database as unknown as Database<OutboxSchema>;
  const { logger } = options;
  const lanes = Object.entries(options.publishers).map(([kind, publisher]) =>
    startLane({ database, logger, kind, publisher }),
  );
  return {
    runOnce: async () => {
      const counts = await Promise.all(lanes.map((lane) => lane.runOnce()));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(lanes.map((each) => each.stop()));
    },
  };
}

interface LaneOptions {
  readonly database: Database<OutboxSchema>;
  readonly logger: Logger;
  readonly kind: string;
  readonly publisher: Publisher;
}

function startLane({ database, logger, kind, publisher }: LaneOptions) {
  const setAside = createSetAside();
  const cleaner = createCleaner(database, kind, publisher);
  let failures = 0;
  let storeCheckedAt = 0;
  let knownStore: number | undefined;

  const runOnce = (): Promise<number> =>
    database.system(async (tx) => {
      const rows = await tx
        .selectFrom('outbox')
        .select(['tenant_id', 'event_id', 'subject', 'payload', 'mac', 'traceparent'])
        .where('published_at', 'is', null)
        .where('kind', '=', kind)
        .where(sql<boolean>`event_id <> ALL (${setAside.now()}::uuid[])`)
        .orderBy('created_at')
        .limit(BATCH)
        .forUpdate()
        .skipLocked()
        .execute();
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
      const taken = messages.filter((message) => !refused.has(message.eventId));
      const [tenants, ids] = [taken.map((each) => each.tenantId), taken.map((each) => each.eventId)];
      await tx
        .updateTable('outbox')
        .set({ published_at: sql`clock_timestamp()` })
        // Locked above, so by their keys alone: a backlog of a hundred thousand must cost no more than one of ten.
        .where(
          sql<boolean>`(tenant_id, event_id) IN (SELECT * FROM unnest(${tenants}::uuid[], ${ids}::uuid[]))`,
        )
        .execute();
      return rows.length;
    });

  /** A store that is newer than what was published to it has lost it. */
  const checkStore = async (): Promise<void> => {
    if (!publisher.storeCreatedAt || Date.now() - storeCheckedAt < STORE_CHECK_MS) return;
    const createdAt = await publisher.storeCreatedAt();
    if (createdAt.getTime() !== knownStore) {
      cleaner.forget();
      const count = await republish(database, kind, publisher, createdAt);
      if (count > 0) logger.warn({ kind, count }, 'the store of published messages is new: sent again');
      knownStore = createdAt.getTime();
    }
    storeCheckedAt = Date.now();
  };

  const loop = startLoop(async () => {
    try {
      await checkStore();
      const published = await runOnce();
      await cleaner
        .runIfDue(knownStore)
        .catch((error: unknown) =>
          logger.warn(
            { err: error, kind },
            'published outbox rows were not removed; it tries again in a minute',
          ),
        );
      if (failures > 0) logger.info({ kind, after: failures }, 'the outbox relay works again');
      failures = 0;
      return published === BATCH ? 0 : POLL_MS;
    } catch (error) {
      failures += 1;
      storeCheckedAt = 0;
      if (failures === 1 || failures % 20 === 0) {
        logger.warn(
          { err: error, kind, failures },
          'the outbox relay could not publish; nothing is lost, it tries again',
        );
      }
      return Math.min(POLL_MS * 2 ** failures, MAX_BACKOFF_MS);
    }
  });
  return { runOnce, stop: loop.stop };
}
