import type * as emergencyRestriction from '@claviger/contracts/auth/v1/emergency_restriction';
import type { Tx } from '@claviger/database';
import { ClavigerError, isClavigerError } from '@claviger/errors';
import { changedNothing, type Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import { raiseEpoch } from '../sign-in/sessions-store.ts';
import type { EmergencyDeps } from './deps.ts';

/**
 * Stores that a person has emergency access until `until`, or that the emergency access of this session has
 * ended. An emergency must not wait for Redis: if gateways cannot be notified, `settled` is false and
 * workflow repeats the call. A repetition notifies gateways again and records no event.
 */
export function applyEmergencyRestriction(
  deps: EmergencyDeps,
): Handler<typeof emergencyRestriction.EmergencyRestrictionService.applyEmergencyRestriction> {
  return async ({ userId, sessionId, until }, context) => {
    context.auditSubject = { type: 'user', id: userId };
    const live = await deps.database.withTenant(context.tenantId, async (tx) => {
      const isNew = await (until ? begin(tx, userId, sessionId, until) : end(tx, userId, sessionId));
      if (isNew) await deps.emitter.audit(tx, context, { details: { sessionId, until: until ?? '' } });
      else changedNothing(context);
      return raiseEpoch(tx, [userId]);
    });
    try {
      await deps.liveness.raise(live);
    } catch (error) {
      if (!isClavigerError(error) || error.reason !== 'unavailable') throw error;
      deps.logger.warn({ err: error, userId }, 'gateways were not notified of a change of emergency access');
      return { settled: false };
    }
    return { settled: true };
  };
}

/**
 * Stores the later of the former end and this one, because a restriction that lasts too long is safer than
 * one that ends too early. Returns false if this session is already stored with this end or a later one.
 */
async function begin(tx: Tx<AuthSchema>, userId: string, sessionId: string, until: string): Promise<boolean> {
  const user = await tx
    .selectFrom('users')
    .select(
      sql<boolean>`coalesce(emergency_session_id = ${sessionId}::uuid AND emergency_until >= ${until}::timestamptz, false)`.as(
        'known',
      ),
    )
    .where('id', '=', userId)
    .forUpdate()
    .executeTakeFirst();
  if (!user) throw ClavigerError.notFound();
  if (user.known) return false;
  await tx
    .updateTable('users')
    .set({
      emergency_until: sql<Date>`greatest(emergency_until, ${until}::timestamptz)`,
      emergency_session_id: sessionId,
    })
    .where('id', '=', userId)
    .execute();
  return true;
}

/** Returns false if no restriction of this session is stored. */
async function end(tx: Tx<AuthSchema>, userId: string, sessionId: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('users')
    .set({ emergency_until: null, emergency_session_id: null })
    .where('id', '=', userId)
    .where('emergency_session_id', '=', sessionId)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}
