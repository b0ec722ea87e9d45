import type * as emergency from '@claviger/contracts/vault/v1/emergency';
import { requireActiveTenant } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { changedNothing, type Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { VaultTx } from '../schema.ts';
import type { EmergencyDeps } from './deps.ts';

/**
 * Serializes the placement and the end of one session. Uses an advisory lock, because the session may not
 * have a row yet.
 */
export async function lockSession(tx: VaultTx, sessionId: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended('emergency ' || ${sessionId}, 0))`.execute(tx);
}

/** Repeatable; a repetition records no event. The end of a session is final, even if it arrives first. */
export function placeEmergencySession(
  deps: EmergencyDeps,
): Handler<typeof emergency.EmergencyService.placeEmergencySession> {
  return async (request, context) => {
    const { sessionId, userId, allEntries, entryIds, resourceIds, expiresAt } = request;
    context.auditSubject = { type: 'breakglass-session', id: sessionId };
    await deps.database.withTenant(context.tenantId, async (tx) => {
      await requireActiveTenant(tx);
      await lockSession(tx, sessionId);
      const ended = await tx
        .selectFrom('ended_emergency_sessions')
        .select('id')
        .where('id', '=', sessionId)
        .executeTakeFirst();
      if (ended) throw sessionEnded();
      const inserted = await tx
        .insertInto('emergency_sessions')
        .values({
          tenant_id: context.tenantId,
          id: sessionId,
          user_id: userId,
          all_entries: allEntries,
          entry_ids: entryIds,
          resource_ids: resourceIds,
          expires_at: expiresAt!,
        })
        .onConflict((conflict) => conflict.doNothing())
        .returning('id')
        .executeTakeFirst();
      const open = await tx
        .selectFrom('emergency_sessions')
        .select('id')
        .where('id', '=', sessionId)
        .where('user_id', '=', userId)
        .where('ended_at', 'is', null)
        .executeTakeFirst();
      if (!open) throw sessionEnded();
      if (!inserted) {
        changedNothing(context);
        return;
      }
      await deps.emitter.audit(tx, context, {
        subject: { type: 'breakglass-session', id: sessionId },
        details: {
          userId,
          allEntries,
          entries: entryIds.length,
          resources: resourceIds.length,
          expiresAt: expiresAt!,
        },
      });
    });
    return {};
  };
}

const sessionEnded = (): ClavigerError =>
  new ClavigerError('conflict', 'This emergency session has ended.', { code: 'breakglass_ended' });
