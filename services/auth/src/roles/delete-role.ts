import type * as auth from '@claviger/contracts/auth/v1/auth';
import { isForeignKeyViolation } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { requireRowVersion } from '../row-version.ts';
import { requireCurrentActor, requireHeld } from '../users/user-permissions.ts';
import type { RolesDeps } from './deps.ts';
import { lockOwnRole } from './update-role.ts';

/** Deletes a role that no user has. */
export function deleteRole(deps: RolesDeps): Handler<typeof auth.RolesService.deleteRole> {
  return async (request, context) => {
    const roleId = request.roleId;
    context.auditSubject = { type: 'role', id: roleId };
    try {
      await deps.database.withTenant(context.tenantId, async (tx) => {
        const holds = await requireCurrentActor(tx, context);
        const role = await lockOwnRole(tx, roleId);
        requireRowVersion(request.rowVersion, role.row_version);
        requireHeld(holds, role.permissions);
        await tx.deleteFrom('roles').where('id', '=', roleId).execute();
        await deps.emitter.audit(tx, context, { details: { name: role.name } });
      });
    } catch (error) {
      if (!isForeignKeyViolation(error)) throw error;
      throw new ClavigerError('conflict', 'Users still have this role.', {
        code: 'role_in_use',
        hint: 'Remove it from its users first; GET /api/v1/users?role=NAME lists them.',
      });
    }
    return {};
  };
}
