import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import type { ExposureDeps } from './deps.ts';

/**
 * Returns the id of a present or former user of the tenant; throws `not_found`. A user in the ledger needs no
 * call to auth, so the exposure of former users is available without auth.
 */
export async function requireUser(deps: ExposureDeps, context: CallContext, userId: string): Promise<string> {
  const named = await deps.database.readTenant(context.tenantId, (reader) =>
    reader
      .selectFrom('exposure_paths')
      .select('user_id')
      .where('user_id', '=', userId)
      .limit(1)
      .executeTakeFirst(),
  );
  if (named) return userId;
  const { tenantId, requestId, sourceAddress, deadline, signal } = context;
  const { users } = await deps.directory.getUserNames(
    { userIds: [userId] },
    { tenantId, requestId, sourceAddress, deadline, signal },
  );
  if (!users.some((user) => user.id === userId)) throw ClavigerError.notFound();
  return userId;
}
