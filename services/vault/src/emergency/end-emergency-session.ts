import type * as emergency from '@claviger/contracts/vault/v1/emergency';
import { changedNothing, type Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { isAccount } from '../rotation/request-rotation.ts';
import type { RotationAfterGrant, VaultTx } from '../schema.ts';
import type { EmergencyDeps } from './deps.ts';
import { lockSession } from './place-emergency-session.ts';

/**
 * Repeatable, and possible while the vault is sealed. No disclosure starts after it; one in progress is
 * recorded before or after. In both cases every disclosed secret that is still current is queued for
 * rotation. A repetition returns the counts as they are now and records no event.
 */
export function endEmergencySession(
  deps: EmergencyDeps,
): Handler<typeof emergency.EmergencyService.endEmergencySession> {
  return async ({ sessionId, cause }, context) => {
    context.auditSubject = { type: 'breakglass-session', id: sessionId };
    return deps.database.withTenant(context.tenantId, async (tx) => {
      const { isFirst, counts } = await end(tx, context.tenantId, sessionId, cause);
      if (isFirst) {
        await deps.emitter.audit(tx, context, {
          subject: { type: 'breakglass-session', id: sessionId },
          details: { cause, ...counts },
        });
      } else changedNothing(context);
      return counts;
    });
  };
}

async function end(tx: VaultTx, tenantId: string, sessionId: string, cause: string) {
  await lockSession(tx, sessionId);
  const { numInsertedOrUpdatedRows = 0n } = await tx
    .insertInto('ended_emergency_sessions')
    .values({ tenant_id: tenantId, id: sessionId })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  await tx
    .updateTable('emergency_sessions')
    .set({ ended_at: sql<Date>`clock_timestamp()`, end_cause: cause })
    .where('id', '=', sessionId)
    .where('ended_at', 'is', null)
    .execute();
  await rotateDisclosed(tx, sessionId);
  const { rows } = await sql<{ disclosed: number; queued: number; impossible: number }>`
    SELECT count(*)::int AS disclosed, count(DISTINCT entry_id) FILTER (WHERE rotation = 'queued')::int AS queued,
      count(DISTINCT entry_id) FILTER (WHERE rotation = 'impossible')::int AS impossible
    FROM emergency_disclosures WHERE session_id = ${sessionId}`.execute(tx);
  const [row] = rows;
  return {
    isFirst: numInsertedOrUpdatedRows > 0n,
    counts: {
      disclosed: row!.disclosed,
      rotationsQueued: row!.queued,
      rotationsImpossible: row!.impossible,
    },
  };
}

/**
 * Queues the disclosed secrets for rotation. Also called for each disclosure that a journal adds after the
 * end.
 */
export async function rotateDisclosed(tx: VaultTx, sessionId: string): Promise<void> {
  const seen = await tx
    .selectFrom('emergency_disclosures')
    .select(['entry_id', 'version'])
    .distinct()
    .where('session_id', '=', sessionId)
    .where('rotation', 'is', null)
    .orderBy('entry_id')
    .execute();
  for (const { entry_id, version } of seen) {
    const rotation = await rotationOf(tx, entry_id, version);
    await tx
      .updateTable('emergency_disclosures')
      .set({ rotation })
      .where('session_id', '=', sessionId)
      .where('entry_id', '=', entry_id)
      .where('version', '=', version)
      .execute();
  }
}

async function rotationOf(tx: VaultTx, entryId: string, version: number): Promise<RotationAfterGrant> {
  const entry = await tx
    .selectFrom('entries')
    .selectAll()
    .where('id', '=', entryId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  if (entry.current_version !== version) return 'not-needed';
  if (entry.status !== 'active' || !isAccount(entry)) return 'impossible';
  await tx
    .updateTable('entries')
    .set({
      next_rotation_at: sql<Date>`least(coalesce(next_rotation_at, 'infinity'), now())`,
      rotation_cause: sql<'exposure' | 'grant-ended'>`coalesce(rotation_cause, 'grant-ended')`,
    })
    .where('id', '=', entryId)
    .execute();
  return 'queued';
}
