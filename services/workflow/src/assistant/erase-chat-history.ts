import type * as assistant from '@claviger/contracts/workflow/v1/assistant';
import type { Handler } from '@claviger/service-kit';
import type { AssistantDeps } from './deps.ts';

/** Deletes the caller's own exchanges, or those before a time. */
export function eraseChatHistory(
  deps: Pick<AssistantDeps, 'database' | 'emitter'>,
): Handler<typeof assistant.AssistantService.eraseChatHistory> {
  return async ({ before }, context) => {
    const { tenantId, actor } = context;
    context.auditSubject = { type: 'user', id: actor.userId };
    await deps.database.withTenant(tenantId, async (tx) => {
      let erase = tx.deleteFrom('assistant_exchanges').where('user_id', '=', actor.userId);
      if (before) erase = erase.where('created_at', '<', new Date(before));
      const { numDeletedRows } = await erase.executeTakeFirstOrThrow();
      await deps.emitter.audit(tx, context, { details: { erased: Number(numDeletedRows), before } });
    });
    return {};
  };
}
