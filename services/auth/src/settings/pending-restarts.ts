import type * as settings from '@claviger/contracts/auth/v1/settings';
import type { Database } from '@claviger/database';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import type { StoredSetting } from './settings-store.ts';

/** A replica without a report for this long counts as stopped. */
export const RUNNING_SECONDS = 60;

/**
 * Returns the changes that need a restart of a replica. A replica has applied a change if it reported a start
 * after the change.
 */
export async function pendingRestarts(
  database: Database<AuthSchema>,
  changes: ReadonlyMap<string, StoredSetting>,
): Promise<settings.PendingRestart[]> {
  const waiting = [...changes.values()].filter(({ named }) => (named.key.restart ?? []).length > 0);
  if (waiting.length === 0) return [];
  const replicas = await database.system((tx) =>
    tx
      .selectFrom('replicas')
      .select(['service', 'node', 'started_at'])
      .select(
        sql<boolean>`ended_at IS NULL AND seen_at > now() - make_interval(secs => ${RUNNING_SECONDS})`.as(
          'runs',
        ),
      )
      .orderBy('node')
      .execute(),
  );
  return waiting.flatMap(({ named, changedAt }) =>
    (named.key.restart ?? []).flatMap((service) => {
      const own = replicas.filter((replica) => replica.service === service);
      const old = own.filter(({ runs, started_at }) => runs && started_at <= changedAt);
      const taken = own.some(({ started_at }) => started_at > changedAt);
      if (old.length === 0 && taken) return [];
      return [
        { key: named.name, service, nodes: old.map(({ node }) => node), changedAt: changedAt.toISOString() },
      ];
    }),
  );
}
