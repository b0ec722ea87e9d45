import type { Database } from '@claviger/database';
import { inSpan, type Logger, SpanKind } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { OutboxSchema } from './schema.ts';

export interface OutboxMessage {
  readonly tenantId: string;
  readonly eventId: string;
  readonly subject: string;
  readonly payload: string;
  readonly mac: Buffer;
  readonly traceparent: string | undefined;
}

/** Takes messages over for good: resolves only when each is stored where it went. Throws to have all tried again. */
export type Publisher = (messages: readonly OutboxMessage[]) => Promise<void>;

export interface Relay extends AsyncDisposable {
  /** Publishes what is there now; answers how many. */
  runOnce(): Promise<number>;
}

const BATCH = 200;
const POLL_MS = 100;
const MAX_BACKOFF_MS = 5_000;
const CLEAN_INTERVAL_MS = 60_000;

/**
 * Publishes outbox rows at least once, in batches, by `published_at IS NULL … SKIP LOCKED`: never by an id, whose order
 * is not the order of commits. Any number of replicas may run it.
 */
export function startRelay<DB extends OutboxSchema>(options: {
  database: Database<DB>;
  logger: Logger;
  /** By the first part of the subject: `audit`, `event`, `job`. */
  publishers: Readonly<Record<string, Publisher>>;
}): Relay {
  const database = options.database as unknown as Database<OutboxSchema>;
  let stopping = false;
  let wake: (() => void) | undefined;
  let failures = 0;
  let cleanedAt = 0;

  const runOnce = (): Promise<number> =>
    database.system(async (tx) => {
      const rows = await tx
        .selectFrom('outbox')
        .select(['tenant_id', 'event_id', 'subject', 'payload', 'mac', 'traceparent'])
        .where('published_at', 'is', null)
        .where(sql<string>`split_part(subject, '.', 1)`, 'in', Object.keys(options.publishers))
        .orderBy('created_at')
        .limit(BATCH)
        .forUpdate()
        .skipLocked()
        .execute();
      if (rows.length === 0) return 0;
      const messages = rows.map((row) => ({
        tenantId: row.tenant_id,
        eventId: row.event_id,
        subject: row.subject,
        payload: row.payload,
        mac: row.mac,
        traceparent: row.traceparent ?? undefined,
      }));
      await inSpan('outbox relay', { kind: SpanKind.PRODUCER, parent: messages[0]!.traceparent }, () =>
        publish(messages, options.publishers),
      );
      await tx
        .updateTable('outbox')
        .set({ published_at: sql`clock_timestamp()` })
        .where('published_at', 'is', null)
        .where(
          'event_id',
          'in',
          messages.map((message) => message.eventId),
        )
        .execute();
      return rows.length;
    });

  const clean = async (): Promise<void> => {
    if (Date.now() - cleanedAt < CLEAN_INTERVAL_MS) return;
    cleanedAt = Date.now();
    // The policy of the table keeps the last hour.
    await database.system((tx) =>
      tx.deleteFrom('outbox').where('published_at', '<', sql<Date>`now() - interval '1 hour'`).execute(),
    );
  };

  const loop = (async () => {
    while (!stopping) {
      let published = 0;
      try {
        published = await runOnce();
        await clean();
        if (failures > 0) options.logger.info({ after: failures }, 'the outbox relay works again');
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures === 1 || failures % 20 === 0) {
          options.logger.warn(
            { err: error, failures },
            'the outbox relay could not publish; nothing is lost, it tries again',
          );
        }
      }
      if (published === BATCH || stopping) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(
          resolve,
          failures > 0 ? Math.min(POLL_MS * 2 ** failures, MAX_BACKOFF_MS) : POLL_MS,
        );
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  })();

  return {
    runOnce,
    [Symbol.asyncDispose]: async () => {
      stopping = true;
      wake?.();
      await loop;
    },
  };
}

async function publish(
  messages: readonly OutboxMessage[],
  publishers: Readonly<Record<string, Publisher>>,
): Promise<void> {
  const groups = Map.groupBy(messages, (message) => message.subject.split('.', 1)[0]!);
  await Promise.all([...groups].map(([prefix, group]) => publishers[prefix]!(group)));
}
