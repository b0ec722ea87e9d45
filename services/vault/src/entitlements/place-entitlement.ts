import type * as vault from '@claviger/contracts/vault/v1/vault';
import { requireActiveTenant } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { entrySubject } from '../entries/entry-store.ts';
import { isId, requireId } from '../ids.ts';
import type { EntitlementsDeps } from './deps.ts';
import { grantEnded, hasEnded, lockGrant } from './ended-grants.ts';

/**
 * Repeatable. Placed again with another expiry it lasts until then; one that ended stays ended, also when the end came first.
 */
export function placeEntitlement(
  deps: EntitlementsDeps,
): Handler<typeof vault.EntitlementsService.placeEntitlement> {
  return async (request, context) => {
    context.auditSubject = { type: 'entry', id: request.entryId };
    const { grantId, userId, expiresAt } = request;
    if (!isId(grantId)) throw ClavigerError.invalid('/grantId', 'must be a UUID');
    if (!isId(userId)) throw ClavigerError.invalid('/userId', 'must be a UUID');
    if (!expiresAt) throw ClavigerError.invalid('/expiresAt', 'is required');
    const entryId = requireId(request.entryId);
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
      await tx
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
        .execute();
      const placed = await tx
        .updateTable('entitlements')
        .set({ expires_at: expiresAt })
        .where('grant_id', '=', grantId)
        .where('entry_id', '=', entryId)
        .where('user_id', '=', userId)
        .where('removed_at', 'is', null)
        .returning('grant_id')
        .executeTakeFirst();
      if (!placed) throw grantEnded();
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
