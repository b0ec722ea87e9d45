import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import { requireCurrentActor } from '../users/user-permissions.ts';
import type { MfaDeps } from './deps.ts';
import { replacePendingFactor } from './factors-store.ts';
import { secondFactorRequired } from './mfa-errors.ts';
import { otpauthUri } from './totp.ts';

/** Adding the first factor requires a password verified within this time. */
const PASSWORD_MINUTES = 5;

/**
 * Creates a pending factor for the actor's session; only this session can confirm it. `requireProof` throws
 * unless the actor proved the password recently: a stolen session must not add a factor.
 */
export async function makePendingFactor(
  deps: MfaDeps,
  context: CallContext,
  requireProof: (signedInJustNow: boolean, tx: Tx<AuthSchema>) => void | Promise<void>,
): Promise<{ secret: string; otpauthUri: string }> {
  const { userId, userName, tenantId, sessionId } = context.actor;
  const secret = await deps.database.withTenant(tenantId, async (tx) => {
    await requireCurrentActor(tx, context);
    const made = await replacePendingFactor(deps, tx, { tenantId, userId, sessionId });
    // A session without its second factor may set up a first one but learns nothing about an existing one.
    if (!made && context.actor.mfaPending) throw secondFactorRequired();
    if (!made) {
      throw new ClavigerError('conflict', 'A confirmed second factor already exists.', {
        code: 'mfa_already_enabled',
        hint: 'Remove it first: DELETE /api/v1/auth/mfa.',
      });
    }
    await requireProof(await signedInJustNow(tx, sessionId), tx);
    await deps.emitter.audit(tx, context, { subject: { type: 'user', id: userId } });
    return made;
  });
  return { secret, otpauthUri: otpauthUri(secret, userName) };
}

async function signedInJustNow(tx: Tx<AuthSchema>, sessionId: string): Promise<boolean> {
  const row = await tx
    .selectFrom('sessions')
    .select(
      sql<boolean>`'pwd' = ANY (amr)
        AND authenticated_at > clock_timestamp() - make_interval(mins => ${PASSWORD_MINUTES}::int)`.as(
        'recent',
      ),
    )
    .where('id', '=', sessionId)
    .executeTakeFirst();
  return row?.recent ?? false;
}
