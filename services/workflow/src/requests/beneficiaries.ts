import { type CallContext, peopleBehind, permits } from '@claviger/service-kit';
import { internalCall } from '../internal-call.ts';
import type { RequestsDeps } from './deps.ts';

/** Holders of this permission benefit from every lowered protection. */
export const SEES_EVERY_SECRET = 'vault.entries.retrieve-any';

/**
 * Whether the actor, or a person behind it, benefits now from a request to lower a protection or a policy:
 * they own or share the entry, an entry of the resource or the resource itself, or may see every secret.
 * Throws `unavailable` while the vault is unavailable.
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

/** The object of a change, for the vault's query of beneficiaries: the entry, else the whole resource. */
export function protectedBy(entryId: string | null, resourceId: string | null) {
  return { entryId: entryId ?? '', resourceId: entryId === null ? (resourceId ?? '') : '' };
}
