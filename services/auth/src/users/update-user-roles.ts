import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { ADMINISTRATOR } from '../roles/built-in-roles.ts';
import {
  lockAdministration,
  requireAdministrator,
  roleMessage,
  rolesByName,
  rolesOf,
  setRoles,
} from '../roles/roles-store.ts';
import { requireRowVersion } from '../row-version.ts';
import { raiseEpoch } from '../sign-in/sessions-store.ts';
import { currentSites, requireSitesWithin } from '../sites/actor-sites.ts';
import type { UsersDeps } from './deps.ts';
import { refuseSelf, requireCurrentActor, requireHeld } from './user-permissions.ts';
import { lockUser } from './users-store.ts';

/** Replaces the roles of another user. The actor must hold every permission that is added or removed. */
export function updateUserRoles(deps: UsersDeps): Handler<typeof auth.UsersService.updateUserRoles> {
  return async (request, context) => {
    const userId = request.userId;
    context.auditSubject = { type: 'user', id: userId };
    refuseSelf(context, userId, 'Ask another administrator.');
    const { tenantId } = context;
    const { roles, live } = await deps.database.withTenant(tenantId, async (tx) => {
      await lockAdministration(tx);
      requireRowVersion(request.rowVersion, (await lockUser(tx, userId)).rowVersion);
      const holds = await requireCurrentActor(tx, context);
      await requireSitesWithin(tx, await currentSites(tx, context), userId);
      const before = await rolesOf(tx, userId);
      const after = await rolesByName(tx, [...new Set(request.roles)]);
      const changed = [
        ...after.filter((role) => !before.some((each) => each.id === role.id)),
        ...before.filter((role) => !after.some((each) => each.id === role.id)),
      ];
      requireHeld(
        holds,
        changed.flatMap((role) => role.permissions),
      );
      await setRoles(tx, tenantId, userId, after);
      if (before.some((role) => role.name === ADMINISTRATOR)) await requireAdministrator(tx);
      await tx
        .updateTable('users')
        .set({ updated_at: sql`now()`, row_version: sql`row_version + 1` })
        .where('id', '=', userId)
        .execute();
      const raised = await raiseEpoch(tx, [userId]);
      await deps.emitter.audit(tx, context, {
        details: { roles: after.map((role) => role.name), before: before.map((role) => role.name) },
      });
      return { roles: await rolesOf(tx, userId), live: raised };
    });
    await deps.liveness.raise(live);
    return { items: roles.map(roleMessage) };
  };
}
