import { type CallContext, peopleBehind, permits } from '@claviger/service-kit';
import type { WorkflowDeps } from '../deps.ts';
import { internalCall } from '../vault-call.ts';

/** Who may see every secret gains from each protection that falls. */
export const SEES_EVERY_SECRET = 'vault.entries.retrieve-any';

/**
 * Whether the actor, or who is behind it, gains from what a request to lower a protection asks for, as of now: they own or
 * share the entry, or may see every secret. Throws `unavailable` while the vault cannot say.
 */
export async function benefitsFrom(
  deps: Pick<WorkflowDeps, 'database' | 'vault'>,
  context: CallContext,
  requestId: string,
): Promise<boolean> {
  const request = await deps.database.readTenant(context.tenantId, (reader) =>
    reader.selectFrom('requests').select(['kind', 'entry_id']).where('id', '=', requestId).executeTakeFirst(),
  );
  if (request?.kind !== 'protection') return false;
  if (permits(context.actor.permissions, SEES_EVERY_SECRET)) return true;
  const { userIds } = await deps.vault.describeBeneficiaries(
    { entryId: request.entry_id, resourceId: '', userIds: [...peopleBehind(context.actor)] },
    internalCall(context),
  );
  return userIds.length > 0;
}
