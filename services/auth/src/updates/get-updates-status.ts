import type * as updates from '@claviger/contracts/auth/v1/updates';
import { type Handler, productVersion } from '@claviger/service-kit';
import { sql } from 'kysely';
import { RUNNING_SECONDS } from '../settings/pending-restarts.ts';
import type { UpdatesDeps } from './deps.ts';

const MAX_VERSIONS = 200;

/**
 * Returns running replicas, former versions and schema migrations. A service that does not answer is shown as
 * unknown.
 */
export function getUpdatesStatus(
  deps: Pick<UpdatesDeps, 'database' | 'schemaHistories'>,
): Handler<typeof updates.UpdatesService.getUpdatesStatus> {
  return async (_request, context) => {
    const [schemas, { replicas, history }] = await Promise.all([
      deps.schemaHistories(context),
      deps.database.system(async (tx) => ({
        replicas: await tx
          .selectFrom('replicas')
          .selectAll()
          .where('ended_at', 'is', null)
          .where(sql<boolean>`seen_at > now() - make_interval(secs => ${RUNNING_SECONDS})`)
          .orderBy('service')
          .orderBy('node')
          .execute(),
        history: await tx
          .selectFrom('product_versions')
          .selectAll()
          .orderBy('first_seen_at', 'desc')
          .limit(MAX_VERSIONS)
          .execute(),
      })),
    ]);
    const replicasDiffer = new Set(replicas.map(({ version }) => version)).size > 1;
    return {
      version: productVersion,
      state: stateOf(schemas, replicasDiffer),
      replicasDiffer,
      replicas: replicas.map((row) => ({
        service: row.service,
        node: row.node,
        version: row.version,
        startedAt: row.started_at.toISOString(),
        seenAt: row.seen_at.toISOString(),
      })),
      schemas,
      history: history.map((row) => ({ version: row.version, firstSeenAt: row.first_seen_at.toISOString() })),
    };
  };
}

function stateOf(schemas: readonly updates.SchemaStatus[], replicasDiffer: boolean): string {
  if (schemas.some(({ pending }) => pending.length > 0)) return 'migrations-pending';
  if (replicasDiffer || schemas.some(({ newer }) => newer.length > 0)) return 'replicas-differ';
  return schemas.every(({ known }) => known) ? 'current' : 'unknown';
}
