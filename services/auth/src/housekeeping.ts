import { type Duty, type DutyHost, type Leadership, startDuty } from '@claviger/cluster';
import type { Database } from '@claviger/database';
import { removeEnded } from './remove-ended.ts';
import { syncBuiltInRoles } from './roles/sync-built-in-roles.ts';
import type { AuthSchema } from './schema.ts';

const INTERVAL_MS = 10 * 60_000;
const MORE_MS = 1_000;

/** Updates built-in roles and removes rows that ended long ago; every ten minutes, on the leader. */
export function startHousekeeping(options: { database: Database<AuthSchema>; cluster: DutyHost }): Duty {
  let syncedInTerm: number | undefined;
  return startDuty({
    cluster: options.cluster,
    name: 'housekeeping',
    everyMs: INTERVAL_MS,
    run: async (leadership: Leadership) => {
      // Update them once per term: during an upgrade, a replica of the former version may have been the
      // leader before and written its own roles.
      if (syncedInTerm !== leadership.term) await syncBuiltInRoles(options.database, leadership);
      if (!leadership.signal.aborted) syncedInTerm = leadership.term;
      return (await removeEnded(options.database, leadership)) ? { nextInMs: MORE_MS } : undefined;
    },
  });
}
