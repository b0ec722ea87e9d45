import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import { raiseEpoch } from '../sign-in/sessions-store.ts';
import { currentSites, requireEverySite } from '../sites/actor-sites.ts';
import { requireCurrentActor, requireHeld } from '../users/user-permissions.ts';
import { checkedPermissions } from './checked-permissions.ts';
import type { RolesDeps } from './deps.ts';
import { lockAdministration, type RoleRow, roleMessage, rolesQuery } from './roles-store.ts';

/** Replaces description and permissions. Takes effect immediately for all users who have the role. */
export function updateRole(deps: RolesDeps): Handler<typeof auth.RolesService.updateRole> {
  return async (request, context) => {
    const roleId = request.roleId;
    context.auditSubject = { type: 'role', id: roleId };
    const permissions = checkedPermissions(request.permissions);
    const { row, live } = await deps.database.withTenant(context.tenantId, async (tx) => {
      await lockAdministration(tx);
      const before = await lockOwnRole(tx, roleId);
      const holders = await lockHolders(tx, roleId);
      const holds = await requireCurrentActor(tx, context);
      // A role applies in every site.
      requireEverySite(await currentSites(tx, context));
      if (request.rowVersion !== undefined && request.rowVersion !== before.row_version) {
        throw new ClavigerError('precondition_failed', 'The role has changed since you read it.', {
          hint: 'Read it again, then repeat your change.',
        });
      }
      requireHeld(holds, changedBetween(before.permissions, permissions));
      const after = await tx
        .updateTable('roles')
        .set({ description: request.description, permissions, row_version: sql`row_version + 1` })
        .where('id', '=', roleId)
        .returningAll()
        .executeTakeFirstOrThrow();
      const raised = await raiseEpoch(tx, holders);
      await deps.emitter.audit(tx, context, { request });
      return { row: after, live: raised };
    });
    await deps.liveness.raise(live);
    return { role: roleMessage(row) };
  };
}

/** Returns and locks a role. Throws `not_found`, or `conflict` for a built-in role. */
export async function lockOwnRole(tx: Tx<AuthSchema>, roleId: string): Promise<RoleRow> {
  const row = await rolesQuery(tx).where('roles.id', '=', roleId).forUpdate().executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  if (row.built_in) {
    throw new ClavigerError('conflict', 'Built-in roles cannot be changed.', {
      code: 'built_in_role',
      hint: 'Create your own role with the permissions that you need.',
    });
  }
  return row;
}

/** Returns and locks the users who have the role. */
async function lockHolders(tx: Tx<AuthSchema>, roleId: string): Promise<string[]> {
  const rows = await tx
    .selectFrom('users')
    .select('users.id')
    .where('users.id', 'in', tx.selectFrom('user_roles').select('user_id').where('role_id', '=', roleId))
    .orderBy('users.id')
    .forNoKeyUpdate()
    .execute();
  return rows.map((row) => row.id);
}

function changedBetween(before: readonly string[], after: readonly string[]): string[] {
  return [
    ...after.filter((pattern) => !before.includes(pattern)),
    ...before.filter((pattern) => !after.includes(pattern)),
  ];
}
