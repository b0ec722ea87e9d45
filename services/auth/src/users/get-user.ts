import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Handler } from '@claviger/service-kit';
import type { UsersDeps } from './deps.ts';
import { readUser } from './users-store.ts';

export function getUser(deps: UsersDeps): Handler<typeof auth.UsersService.getUser> {
  return async (request, context) => {
    const userId = request.userId;
    return { user: await deps.database.readTenant(context.tenantId, (reader) => readUser(reader, userId)) };
  };
}
