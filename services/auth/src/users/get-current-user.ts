import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Handler } from '@claviger/service-kit';
import type { UsersDeps } from './deps.ts';
import { readUser } from './users-store.ts';

/** Returns the actor with its permissions; those of an API token are limited by the token. */
export function getCurrentUser(deps: UsersDeps): Handler<typeof auth.AuthService.getCurrentUser> {
  return async (_request, context) => {
    const { tenantId, userId, permissions } = context.actor;
    return deps.database.readTenant(tenantId, async (reader) => {
      const tenant = await reader
        .selectFrom('tenants')
        .select('name')
        .where('id', '=', tenantId)
        .executeTakeFirstOrThrow();
      return {
        user: await readUser(reader, userId),
        permissions: [...permissions].sort(),
        tenantId,
        tenant: tenant.name,
      };
    });
  };
}
