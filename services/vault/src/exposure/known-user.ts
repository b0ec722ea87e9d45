import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import { requireId } from '../ids.ts';
import type { ExposureDeps } from './deps.ts';

/**
 * The id of somebody who is or was a user of the tenant; throws `not_found`. Whom the ledger names was one, so that a leaver's
 * exposure can be read and ended without auth; only of the others auth is asked.
 */
export async function knownUser(deps: ExposureDeps, context: CallContext, userId: string): Promise<string> {
  const id = requireId(userId);
  const named = await deps.database.readTenant(context.tenantId, (reader) =>
    reader
      .selectFrom('exposure_paths')
      .select('user_id')
      .where('user_id', '=', id)
      .limit(1)
      .executeTakeFirst(),
  );
  if (named) return id;
  const { tenantId, requestId, sourceAddress, deadline, signal } = context;
  const { users } = await deps.directory.getUserNames(
    { userIds: [id] },
    { tenantId, requestId, sourceAddress, deadline, signal },
  );
  if (!users.some((user) => user.id === id)) throw ClavigerError.notFound();
  return id;
}
