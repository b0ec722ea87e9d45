import { type Duty, type DutyHost, type Leadership, startDuty } from '@claviger/cluster';
import { sql } from 'kysely';
import { type ConfirmDeps, confirmArrival } from './confirm-arrival.ts';
import { MESSAGE_COLUMNS, messageOf, rowsOf } from './outbox-rows.ts';
import type { OutboxMessage } from './publisher.ts';

/** Rows per step. */
const BATCH = 1_000;
const INTERVAL_MS = 2_000;
/** While nothing was published. */
const IDLE_INTERVAL_MS = 5_000;
const REMOVAL_INTERVAL_MS = 60_000;
/** By then most messages have arrived; an earlier check would have to be repeated. */
const SETTLED = sql`interval '2 seconds'`;

/**
 * A position in the order of publication. The time is PostgreSQL's text, because a `Date` only has
 * milliseconds.
 */
interface Cursor {
  readonly at: string;
  readonly id: string;
}

export interface Cleaner {
  /**
   * Checks the next published messages and publishes lost ones again. Resolves to the number it checked, and
   * whether more are waiting.
   */
  confirmNext(leadership: Leadership): Promise<{ readonly checked: number; readonly more: boolean }>;
  /**
   * Deletes rows that were published more than an hour ago and, if the kind has an `arrival`, have arrived.
   * Resolves to whether more are waiting.
   */
  removeOld(leadership: Leadership): Promise<boolean>;
}

/**
 * Checks the messages of one kind after their publication: once soon, so that a loss is repaired within
 * seconds, and once before the row is deleted. The position of the first pass is kept in memory; a restart
 * checks again.
 */
export function createCleaner(deps: ConfirmDeps): Cleaner {
  const { database, kind, publisher } = deps;
  let cursor: Cursor = { at: '-infinity', id: '00000000-0000-0000-0000-000000000000' };

  const removeRows = async (leadership: Leadership, messages: readonly OutboxMessage[]): Promise<void> => {
    if (messages.length === 0) return;
    await database.system(async (tx) => {
      await leadership.assert(tx);
      // The policy of the table keeps rows that are younger than an hour.
      await tx.deleteFrom('outbox').where(rowsOf(messages)).execute();
    });
  };

  return {
    confirmNext: async (leadership) => {
      if (!publisher.arrival) return { checked: 0, more: false };
      const rows = await database.systemQuery((reader) =>
        reader
          .selectFrom('outbox')
          .select(MESSAGE_COLUMNS)
          .select(sql<string>`published_at::text`.as('at'))
          .where('kind', '=', kind)
          .where('published_at', '>=', sql<Date>`${cursor.at}::timestamptz`)
          .where('published_at', '<', sql<Date>`clock_timestamp() - ${SETTLED}`)
          .where(sql<boolean>`(published_at, event_id) > (${cursor.at}::timestamptz, ${cursor.id}::uuid)`)
          .orderBy('published_at')
          .orderBy('event_id')
          .limit(BATCH)
          .compile(),
      );
      const waiting = new Set(
        (await confirmArrival(deps, leadership, rows.map(messageOf))).map((each) => each.eventId),
      );
      // Continue at the first message that is still missing. Messages published again get a later position.
      const first = rows.findIndex((row) => waiting.has(row.event_id));
      const last = first === -1 ? rows.at(-1) : rows[first - 1];
      if (last) cursor = { at: last.at, id: last.event_id };
      return { checked: rows.length, more: first === -1 && rows.length === BATCH };
    },
    removeOld: async (leadership) => {
      const rows = await database.systemQuery((reader) =>
        reader
          .selectFrom('outbox')
          .select(MESSAGE_COLUMNS)
          .where('kind', '=', kind)
          .where('published_at', '<', sql<Date>`clock_timestamp() - interval '1 hour'`)
          .orderBy('published_at')
          .limit(BATCH)
          .compile(),
      );
      const messages = rows.map(messageOf);
      const waiting = new Set(await confirmArrival(deps, leadership, messages));
      await removeRows(
        leadership,
        messages.filter((each) => !waiting.has(each)),
      );
      return waiting.size === 0 && rows.length === BATCH;
    },
  };
}

/** The duty that runs a `Cleaner`. Nothing is deleted while the consumer is unavailable. */
export function startCleaner(deps: ConfirmDeps & { readonly cluster: DutyHost }): Duty {
  const cleaner = createCleaner(deps);
  const everyMs = deps.publisher.arrival ? INTERVAL_MS : REMOVAL_INTERVAL_MS;
  const idleMs = Math.max(everyMs, IDLE_INTERVAL_MS);
  let removalDueAt = performance.now();
  return startDuty({
    cluster: deps.cluster,
    name: `outbox cleanup: ${deps.kind}`,
    everyMs,
    run: async (leadership) => {
      const confirmed = await cleaner.confirmNext(leadership);
      let { more } = confirmed;
      if (performance.now() >= removalDueAt) {
        const moreToRemove = await cleaner.removeOld(leadership);
        if (!moreToRemove) removalDueAt = performance.now() + REMOVAL_INTERVAL_MS;
        more ||= moreToRemove;
      }
      if (more) return { nextInMs: 0 };
      return confirmed.checked > 0 ? undefined : { nextInMs: idleMs };
    },
  });
}
