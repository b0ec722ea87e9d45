import type * as auth from '@claviger/contracts/auth/v1/auth';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import type { RolesDeps } from './deps.ts';
import { roleMessage, rolesQuery } from './roles-store.ts';

export function getRole(deps: RolesDeps): Handler<typeof auth.RolesService.getRole> {
  return async (request, context) => {
    const roleId = request.roleId;
    const row = await deps.database.readTenant(context.tenantId, (reader) =>
      rolesQuery(reader).where('roles.id', '=', roleId).executeTakeFirst(),
    );
    if (!row) throw ClavigerError.notFound();
    return { role: roleMessage(row) };
  };
}
