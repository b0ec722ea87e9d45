import type * as auth from '@claviger/contracts/auth/v1/auth';
import { isUniqueViolation } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { requireCurrentActor, requireHeld } from '../users/user-permissions.ts';
import { checkedPermissions } from './checked-permissions.ts';
import type { RolesDeps } from './deps.ts';
import { roleMessage } from './roles-store.ts';

export function createRole(deps: RolesDeps): Handler<typeof auth.RolesService.createRole> {
  return async (request, context) => {
    const permissions = checkedPermissions(request.permissions);
    try {
      const row = await deps.database.withTenant(context.tenantId, async (tx) => {
        requireHeld(await requireCurrentActor(tx, context), permissions);
        const created = await tx
          .insertInto('roles')
          .values({
            tenant_id: context.tenantId,
            name: request.name,
            description: request.description,
            permissions,
          })
          .returningAll()
          .executeTakeFirstOrThrow();
        await deps.emitter.audit(tx, context, { subject: { type: 'role', id: created.id }, request });
        return created;
      });
      return { role: roleMessage(row) };
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new ClavigerError('already_exists', 'A role with this name already exists.', {
        code: 'role_exists',
      });
    }
  };
}
