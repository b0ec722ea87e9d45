import { ClavigerError } from '@claviger/errors';
import type { CompiledQuery } from 'kysely';
import type pg from 'pg';
import { type Connect, flightOf, type TenantQuery } from './flight.ts';
import { isOutage, sqlState } from './outage.ts';

interface Waiting extends TenantQuery {
  readonly orderKey: string;
  resolve(result: pg.QueryResult): void;
  reject(error: unknown): void;
}

/** Two, so that one group is decided while the other is being written to disk. */
const LANES = 2;
/** Bounds how long one group holds its locks. */
const MAX_GROUP = 64;

/**
 * Group commit: statements that wait at the same moment share one transaction and so one write to disk. A lane sends
 * what is there as soon as it is free; nobody waits for company.
 */
export function createGroupedFlights(
  connect: Connect,
): (tenantId: string, query: CompiledQuery, orderKey: string) => Promise<pg.QueryResult> {
  const waiting: Waiting[] = [];
  let busy = 0;

  const run = async (group: Waiting[]): Promise<void> => {
    try {
      const results = await flightOf(connect, group);
      group.forEach((each, index) => {
        each.resolve(results[index]!);
      });
    } catch (error) {
      // The database is away, or took the commit with it: whether it happened is not known, so it must not happen again.
      if (group.length === 1 || !isRolledBack(error)) {
        for (const each of group) each.reject(error);
        return;
      }
      // One of them was at fault: each finds out for itself.
      for (const each of group) {
        try {
          each.resolve((await flightOf(connect, [each]))[0]!);
        } catch (own) {
          each.reject(own);
        }
      }
    }
  };

  const depart = (): void => {
    while (busy < LANES && waiting.length > 0) {
      const group = waiting.splice(0, MAX_GROUP);
      // One order for all groups, so that two of them never wait for each other's rows; one set-up per tenant.
      group.sort((a, b) => compare(a.tenantId, b.tenantId) || compare(a.orderKey, b.orderKey));
      busy += 1;
      void run(group).finally(() => {
        busy -= 1;
        depart();
      });
    }
  };

  return (tenantId, query, orderKey) =>
    new Promise((resolve, reject) => {
      waiting.push({ tenantId, query, orderKey, resolve, reject });
      depart();
    });
}

/** Whether the database answered that nothing was done. */
function isRolledBack(error: unknown): boolean {
  const thrown = error instanceof ClavigerError ? error.cause : error;
  return !isOutage(thrown) && (sqlState(thrown) !== undefined || thrown instanceof TypeError);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
