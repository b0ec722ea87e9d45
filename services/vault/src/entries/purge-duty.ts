import { type Cluster, startDuty } from '@claviger/cluster';
import { sql } from 'kysely';
import type { EntriesDeps } from './deps.ts';
import { purgeEntry } from './purge-entry.ts';

const EVERY_MS = 60_000;
/** Entries in one run; a full batch starts the next run at once. */
const BATCH = 200;

/**
 * Purges deleted entries after their retention, oldest first, on the leader. A failure does not stop the run:
 * it is thrown when all entries of the batch were tried.
 */
export function startPurge(deps: EntriesDeps, cluster: Cluster): AsyncDisposable {
  const due = () =>
    deps.database.systemQuery((reader) =>
      reader
        .selectFrom('entries')
        .select(['tenant_id', 'id'])
        .where('status', '=', 'deleted')
        .where('purged_at', 'is', null)
        .where(
          'deleted_at',
          '<=',
          sql<Date>`now() - make_interval(days => ${deps.config.purge.retentionDays}::int)`,
        )
        .orderBy('deleted_at')
        .limit(BATCH)
        .compile(),
    );
  return startDuty({
    cluster,
    name: 'purge of deleted entries',
    everyMs: EVERY_MS,
    run: async (leadership) => {
      const failures: unknown[] = [];
      const entries = await due();
      for (const { tenant_id, id } of entries) {
        if (leadership.signal.aborted) return;
        await purgeEntry(deps, tenant_id, id, leadership).catch((error: unknown) => failures.push(error));
      }
      if (failures.length > 0) throw failures[0];
      return entries.length === BATCH ? { nextInMs: 0 } : undefined;
    },
  });
}
