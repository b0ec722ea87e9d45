import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Handler } from '@claviger/service-kit';
import { objectId } from '../object-id.ts';
import type { UsersDeps } from './deps.ts';
import { readUser } from './users-store.ts';

export function getUser(deps: UsersDeps): Handler<typeof auth.UsersService.getUser> {
  return async (request, context) => {
    const userId = objectId(request.userId);
    return { user: await deps.database.readTenant(context.tenantId, (reader) => readUser(reader, userId)) };
  };
}
