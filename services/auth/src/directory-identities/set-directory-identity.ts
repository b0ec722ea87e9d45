import type * as devices from '@claviger/contracts/auth/v1/devices';
import { isUniqueViolation } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { requireRowVersion } from '../row-version.ts';
import { currentSites, requireSitesWithin } from '../sites/actor-sites.ts';
import { refuseSelf, requireCurrentActor } from '../users/user-permissions.ts';
import { lockUser } from '../users/users-store.ts';
import { bareName, checkedTexts, foldedName } from './account-names.ts';
import type { DirectoryIdentitiesDeps } from './deps.ts';
import { readIdentity } from './directory-identities-store.ts';

/**
 * Replaces account names and groups of another user. Rules use them, so no user sets their own. A machine
 * identity gets no account names: with the account name of its creator it would hide who that person is.
 */
export function setDirectoryIdentity(
  deps: Pick<DirectoryIdentitiesDeps, 'database' | 'emitter'>,
): Handler<typeof devices.DirectoryIdentitiesService.setDirectoryIdentity> {
  return async (request, context) => {
    const userId = request.userId;
    context.auditSubject = { type: 'user', id: userId };
    refuseSelf(context, userId, 'Ask another administrator.');
    const accountNames = checkedTexts(request.accountNames, '/accountNames');
    const groups = checkedTexts(request.groups, '/groups');
    const { tenantId } = context;
    try {
      return await deps.database.withTenant(tenantId, async (tx) => {
        const { kind } = await lockUser(tx, userId);
        if (kind !== 'person' && accountNames.length > 0)
          throw ClavigerError.invalid('/accountNames', 'must be empty: the user is a machine identity');
        await requireCurrentActor(tx, context);
        await requireSitesWithin(tx, await currentSites(tx, context), userId);
        const before = await readIdentity(tx, userId);
        requireRowVersion(request.rowVersion, before.rowVersion);
        const updatedBy = context.actor.userId;
        await tx
          .insertInto('directory_identities')
          .values({ tenant_id: tenantId, user_id: userId, groups, updated_by: updatedBy })
          .onConflict((conflict) =>
            conflict.columns(['tenant_id', 'user_id']).doUpdateSet({
              groups,
              updated_by: updatedBy,
              updated_at: sql<Date>`now()`,
              row_version: sql<number>`directory_identities.row_version + 1`,
            }),
          )
          .execute();
        await tx.deleteFrom('directory_account_names').where('user_id', '=', userId).execute();
        if (accountNames.length > 0) {
          await tx
            .insertInto('directory_account_names')
            .values(
              accountNames.map((name, position) => ({
                tenant_id: tenantId,
                folded: foldedName(name),
                bare: bareName(name),
                user_id: userId,
                account_name: name,
                position,
              })),
            )
            .execute();
        }
        await deps.emitter.audit(tx, context, {
          details: {
            accountNames,
            accountNamesBefore: before.accountNames,
            groupsAdded: groups.filter((group) => !before.groups.includes(group)),
            groupsRemoved: before.groups.filter((group) => !groups.includes(group)),
          },
        });
        return { identity: await readIdentity(tx, userId) };
      });
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new ClavigerError('conflict', 'One of these account names belongs to another person.', {
        code: 'account_name_taken',
      });
    }
  };
}
