import { type Duty, type DutyHost, type Leadership, startDuty } from '@claviger/cluster';
import type { Database } from '@claviger/database';
import { sql } from 'kysely';
import { syncBuiltInRoles } from './roles/sync-built-in-roles.ts';
import type { AuthSchema } from './schema.ts';
import { PLACE_DAYS } from './sign-in/places.ts';

const INTERVAL_MS = 10 * 60_000;

/**
 * Brings built-in roles up to date, and removes what can no longer matter: failure counts of an hour ago, places
 * of a month ago, and sessions, links and agent tokens that ended a week ago. The policies of the tables name what
 * may go.
 */
export function startHousekeeping(options: { database: Database<AuthSchema>; cluster: DutyHost }): Duty {
  let syncedInTerm: number | undefined;
  return startDuty({
    cluster: options.cluster,
    name: 'housekeeping',
    everyMs: INTERVAL_MS,
    run: async (leadership) => {
      // Once a term: during an upgrade a replica of the former version may have led in between, and brought its own.
      if (syncedInTerm !== leadership.term) await syncBuiltInRoles(options.database, leadership);
      if (!leadership.signal.aborted) syncedInTerm = leadership.term;
      await tidy(options.database, leadership);
    },
  });
}

const BATCH = 5_000;
const MAX_BATCHES = 100;

/** What strangers can make many of goes in batches, each a transaction of its own. */
async function tidySignIns(database: Database<AuthSchema>, leadership: Leadership): Promise<void> {
  for (const [table, old] of [
    ['login_failures', sql`last_failed_at < now() - interval '1 hour'`],
    ['sign_in_places', sql`last_at < now() - make_interval(days => ${PLACE_DAYS}::int)`],
  ] as const) {
    for (let batch = 0; batch < MAX_BATCHES && !leadership.signal.aborted; batch += 1) {
      const { numAffectedRows = 0n } = await database.system(async (tx) => {
        await leadership.assert(tx);
        const name = sql.table(table);
        return sql`DELETE FROM ${name} WHERE ${old}
          AND ctid = ANY (ARRAY(SELECT ctid FROM ${name} WHERE ${old} LIMIT ${BATCH}))`.execute(tx);
      });
      if (numAffectedRows < BATCH) break;
    }
  }
}

export async function tidy(database: Database<AuthSchema>, leadership: Leadership): Promise<void> {
  await tidySignIns(database, leadership);
  return database.system(async (tx) => {
    await leadership.assert(tx);
    await tx
      .deleteFrom('sessions')
      .where('kind', '=', 'user')
      .where('expires_at', '<', sql<Date>`now() - interval '7 days'`)
      .execute();
    await tx
      .deleteFrom('one_time_links')
      .where('expires_at', '<', sql<Date>`now() - interval '7 days'`)
      .execute();
    await tx
      .deleteFrom('agent_tokens')
      .where('revoked_at', '<', sql<Date>`now() - interval '7 days'`)
      .execute();
  });
}
