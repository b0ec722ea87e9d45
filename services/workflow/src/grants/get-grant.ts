import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { ClavigerError } from '@claviger/errors';
import { type Handler, permits } from '@claviger/service-kit';
import { transactionTimeMs } from '../database-clock.ts';
import type { GrantsDeps } from './deps.ts';
import { grantMessage } from './grant-view.ts';

export function getGrant(deps: GrantsDeps): Handler<typeof workflow.GrantsService.getGrant> {
  return async (request, context) => {
    const id = request.grantId;
    return deps.database.readTenant(context.tenantId, async (reader) => {
      const row = await reader.selectFrom('grants').selectAll().where('id', '=', id).executeTakeFirst();
      const { actor } = context;
      if (!row || (row.user_id !== actor.userId && !permits(actor.permissions, 'grants.read-all')))
        throw ClavigerError.notFound();
      return { grant: grantMessage(row, await transactionTimeMs(reader)) };
    });
  };
}
