import { ClavigerError } from '@claviger/errors';
import type { CompiledQuery } from 'kysely';
import type pg from 'pg';
import { isOutage, sqlState } from './outage.ts';
import { type Connect, sendTransaction, type TenantQuery } from './single-round-trip.ts';

interface Waiting extends TenantQuery {
  readonly orderKey: string;
  resolve(result: pg.QueryResult): void;
  reject(error: unknown): void;
}

/** Two, so that one group executes while the other is written to disk. */
const LANES = 2;
/** Limits how long one group holds its locks. */
const MAX_GROUP = 64;

/**
 * Group commit: concurrent statements share one transaction and so one write to disk. A free lane sends the
 * waiting statements at once; it does not wait for more.
 */
export function createGroupCommit(
  connect: Connect,
): (tenantId: string, query: CompiledQuery, orderKey: string) => Promise<pg.QueryResult> {
  const waiting: Waiting[] = [];
  let busy = 0;

  const run = async (group: Waiting[]): Promise<void> => {
    try {
      const results = await sendTransaction(connect, group);
      group.forEach((each, index) => {
        each.resolve(results[index]!);
      });
    } catch (error) {
      // In an outage it is unknown whether the group was committed, so it must not be repeated.
      if (group.length === 1 || !isRolledBack(error)) {
        for (const each of group) each.reject(error);
        return;
      }
      // One statement failed; running each by itself shows which.
      for (const each of group) {
        try {
          each.resolve((await sendTransaction(connect, [each]))[0]!);
        } catch (own) {
          each.reject(own);
        }
      }
    }
  };

  const sendGroups = (): void => {
    while (busy < LANES && waiting.length > 0) {
      const group = waiting.splice(0, MAX_GROUP);
      // All groups use the same order, so that they cannot deadlock; sorting by tenant sets each tenant once.
      group.sort((a, b) => compare(a.tenantId, b.tenantId) || compare(a.orderKey, b.orderKey));
      busy += 1;
      void run(group).finally(() => {
        busy -= 1;
        sendGroups();
      });
    }
  };

  return (tenantId, query, orderKey) =>
    new Promise((resolve, reject) => {
      waiting.push({ tenantId, query, orderKey, resolve, reject });
      sendGroups();
    });
}

/** Whether the database confirmed that nothing was changed. */
function isRolledBack(error: unknown): boolean {
  const thrown = error instanceof ClavigerError ? error.cause : error;
  return !isOutage(thrown) && (sqlState(thrown) !== undefined || thrown instanceof TypeError);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
