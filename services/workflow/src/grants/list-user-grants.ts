import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { internalCall } from '../internal-call.ts';
import type { GrantsDeps } from './deps.ts';
import { grantPage, withGrantStatus } from './grant-page.ts';

/**
 * All grants of a user, or those of one status. Auth checks that the user exists; a deleted user is not
 * found.
 */
export function listUserGrants(deps: GrantsDeps): Handler<typeof workflow.GrantsService.listUserGrants> {
  return async (request, context) => {
    const userId = request.userId;
    const { users } = await deps.directory.getUserNames({ userIds: [userId] }, internalCall(context));
    if (!users.some(({ id, status }) => id === userId && status !== 'deleted'))
      throw ClavigerError.notFound();
    return deps.database.readTenant(context.tenantId, (reader) =>
      grantPage(reader, request, (rows) =>
        withGrantStatus(rows, request.status).where('user_id', '=', userId),
      ),
    );
  };
}
