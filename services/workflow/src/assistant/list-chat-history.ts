import type * as assistant from '@claviger/contracts/workflow/v1/assistant';
import { pageOf, type SortFields } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import type { AssistantDeps } from './deps.ts';
import { sourceMessage } from './source-message.ts';

const SORT: SortFields = { createdAt: { column: 'created_at', type: 'timestamptz' } };

/**
 * The caller's own exchanges, newest first unless the request sorts. No permission shows those of other
 * users.
 */
export function listChatHistory(
  deps: Pick<AssistantDeps, 'database'>,
): Handler<typeof assistant.AssistantService.listChatHistory> {
  return (request, context) =>
    deps.database.readTenant(context.tenantId, async (reader) => {
      const rows = reader.selectFrom('assistant_exchanges').where('user_id', '=', context.actor.userId);
      return pageOf({
        request,
        query: rows.selectAll(),
        sort: SORT,
        defaultSort: 'createdAt',
        defaultOrder: request.sortBy ? 'asc' : 'desc',
        tieBreaker: { column: 'id', type: 'uuid' },
        map: (row) => ({
          id: row.id,
          message: row.question,
          answer: row.answer,
          answeredBy: row.answered_by,
          used: row.used.map(sourceMessage),
          createdAt: row.created_at.toISOString(),
        }),
      });
    });
}
