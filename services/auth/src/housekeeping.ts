import { type Duty, type DutyHost, type Leadership, startDuty } from '@claviger/cluster';
import type { Database } from '@claviger/database';
import { sql } from 'kysely';
import { syncBuiltInRoles } from './roles/sync-built-in-roles.ts';
import type { AuthSchema } from './schema.ts';

const INTERVAL_MS = 10 * 60_000;

/**
 * Brings built-in roles up to date, and removes what can no longer matter: failure counts of yesterday, sessions, links and agent tokens that ended a week ago. The policies
 * of the tables name what may go.
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

export function tidy(database: Database<AuthSchema>, leadership: Leadership): Promise<void> {
  return database.system(async (tx) => {
    await leadership.assert(tx);
    await tx
      .deleteFrom('login_failures')
      .where('last_failed_at', '<', sql<Date>`now() - interval '1 day'`)
      .execute();
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
