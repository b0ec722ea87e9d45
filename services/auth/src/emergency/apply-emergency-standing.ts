import type * as emergencyStanding from '@claviger/contracts/auth/v1/emergency_standing';
import type { Tx } from '@claviger/database';
import { ClavigerError, isClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { objectId } from '../object-id.ts';
import type { AuthSchema } from '../schema.ts';
import { raiseEpoch } from '../sign-in/sessions-store.ts';
import type { EmergencyDeps } from './deps.ts';

/**
 * Notes that a person has emergency access open, or that this session of theirs has ended. It is stored when this answers. Where
 * gateways could not be told it is not settled: an emergency must not wait for Redis, and the caller repeats.
 */
export function applyEmergencyStanding(
  deps: EmergencyDeps,
): Handler<typeof emergencyStanding.EmergencyStandingService.applyEmergencyStanding> {
  return async ({ userId: id, sessionId, until }, context) => {
    const userId = objectId(id);
    context.auditSubject = { type: 'user', id: userId };
    const live = await deps.database.withTenant(context.tenantId, async (tx) => {
      await (until ? begin(tx, userId, objectId(sessionId), until) : end(tx, userId, objectId(sessionId)));
      await deps.emitter.audit(tx, context, { details: { sessionId, until: until ?? '' } });
      return raiseEpoch(tx, [userId]);
    });
    try {
      await deps.liveness.raise(live);
    } catch (error) {
      if (!isClavigerError(error) || error.reason !== 'unavailable') throw error;
      deps.logger.warn({ err: error, userId }, 'gateways could not be told of an emergency standing');
      return { settled: false };
    }
    return { settled: true };
  };
}

/** Of two sessions the later end holds: rather too long without administration than a moment with it. */
async function begin(tx: Tx<AuthSchema>, userId: string, sessionId: string, until: string): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('users')
    .set({
      emergency_until: sql<Date>`greatest(emergency_until, ${until}::timestamptz)`,
      emergency_session_id: sessionId,
    })
    .where('id', '=', userId)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw ClavigerError.notFound();
}

async function end(tx: Tx<AuthSchema>, userId: string, sessionId: string): Promise<void> {
  await tx
    .updateTable('users')
    .set({ emergency_until: null, emergency_session_id: null })
    .where('id', '=', userId)
    .where('emergency_session_id', '=', sessionId)
    .execute();
}
