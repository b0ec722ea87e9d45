import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Handler } from '@claviger/service-kit';
import { readUser } from '../users/users-store.ts';
import type { DirectoryIdentitiesDeps } from './deps.ts';
import { readIdentity } from './directory-identities-store.ts';

export function getDirectoryIdentity(
  deps: Pick<DirectoryIdentitiesDeps, 'database'>,
): Handler<typeof devices.DirectoryIdentitiesService.getDirectoryIdentity> {
  return async (request, context) => {
    const userId = request.userId;
    return deps.database.readTenant(context.tenantId, async (reader) => {
      await readUser(reader, userId);
      return { identity: await readIdentity(reader, userId) };
    });
  };
}
