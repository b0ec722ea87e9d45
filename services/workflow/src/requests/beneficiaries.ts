import { type CallContext, peopleBehind, permits } from '@claviger/service-kit';
import { internalCall } from '../vault-call.ts';
import type { RequestsDeps } from './deps.ts';

/** Who may see every secret gains from each protection that falls. */
export const SEES_EVERY_SECRET = 'vault.entries.retrieve-any';

/**
 * Whether the actor, or who is behind it, gains from what a request to lower a protection or a policy asks
 * for, as of now: they own or share the entry, or an entry of the resource or the resource itself, or may see
 * every secret. Throws `unavailable` while the vault cannot say.
 */
export async function benefitsFrom(
  deps: Pick<RequestsDeps, 'database' | 'vault'>,
  context: CallContext,
  requestId: string,
): Promise<boolean> {
  const request = await deps.database.readTenant(context.tenantId, (reader) =>
    reader
      .selectFrom('requests')
      .select(['kind', 'entry_id', 'resource_id'])
      .where('id', '=', requestId)
      .executeTakeFirst(),
  );
  if (!request || request.kind === 'access') return false;
  if (permits(context.actor.permissions, SEES_EVERY_SECRET)) return true;
  const { userIds } = await deps.vault.describeBeneficiaries(
    { ...protectedBy(request.entry_id, request.resource_id), userIds: [...peopleBehind(context.actor)] },
    internalCall(context),
  );
  return userIds.length > 0;
}

/** What a change is about, as the vault is asked who gains: the entry, else everything of the resource. */
export function protectedBy(entryId: string | null, resourceId: string | null) {
  return { entryId: entryId ?? '', resourceId: entryId === null ? (resourceId ?? '') : '' };
}
