import type * as vault from '@claviger/contracts/vault/v1/vault';
import { requireActiveTenant } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { changedNothing, type Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { entrySubject } from '../entries/entry-store.ts';
import type { VaultTx } from '../schema.ts';
import type { EntitlementsDeps } from './deps.ts';
import { grantEnded, hasEnded, lockGrant } from './ended-grants.ts';

/**
 * Repeatable: a call with another expiry changes the expiry; a call with the same expiry changes nothing and
 * records no event. The end of a grant is final, even if it arrives before the placement.
 */
export function placeEntitlement(
  deps: EntitlementsDeps,
): Handler<typeof vault.EntitlementsService.placeEntitlement> {
  return async (request, context) => {
    context.auditSubject = { type: 'entry', id: request.entryId };
    const { grantId, userId, entryId, expiresAt } = request;
    if (!expiresAt) throw ClavigerError.invalid('/expiresAt', 'is required');
    await deps.database.withTenant(context.tenantId, async (tx) => {
      await requireActiveTenant(tx);
      await lockGrant(tx, grantId);
      if (await hasEnded(tx, grantId)) throw grantEnded();
      const entry = await tx
        .selectFrom('entries')
        .select(['id', 'asset_id'])
        .where('id', '=', entryId)
        .where('status', '=', 'active')
        .forShare()
        .executeTakeFirst();
      if (!entry) throw ClavigerError.notFound();
      const inserted = await tx
        .insertInto('entitlements')
        .values({
          tenant_id: context.tenantId,
          grant_id: grantId,
          entry_id: entryId,
          user_id: userId,
          expires_at: expiresAt,
          one_time: request.oneTime,
          rotate_on_end: request.rotateOnEnd,
        })
        .onConflict((conflict) => conflict.doNothing())
        .returning('grant_id')
        .executeTakeFirst();
      if (!inserted && !(await prolong(tx, { grantId, entryId, userId, expiresAt }))) {
        changedNothing(context);
        return;
      }
      await deps.emitter.audit(tx, context, {
        subject: entrySubject(entry),
        details: {
          grantId,
          userId,
          expiresAt,
          oneTime: request.oneTime,
          rotateOnEnd: request.rotateOnEnd,
        },
      });
    });
    return {};
  };
}

/** Sets the expiry of a placed grant. Returns false if it has this expiry already; throws `grant_ended`. */
async function prolong(
  tx: VaultTx,
  wanted: { grantId: string; entryId: string; userId: string; expiresAt: string },
): Promise<boolean> {
  const placed = await tx
    .selectFrom('entitlements')
    .select(sql<boolean>`expires_at <> ${wanted.expiresAt}::timestamptz`.as('differs'))
    .where('grant_id', '=', wanted.grantId)
    .where('entry_id', '=', wanted.entryId)
    .where('user_id', '=', wanted.userId)
    .where('removed_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
  if (!placed) throw grantEnded();
  if (!placed.differs) return false;
  await tx
    .updateTable('entitlements')
    .set({ expires_at: wanted.expiresAt })
    .where('grant_id', '=', wanted.grantId)
    .execute();
  return true;
}
