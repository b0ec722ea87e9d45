import type { vault } from '@claviger/contracts';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { VaultDeps } from '../deps.ts';
import { isId, requireId } from '../ids.ts';

/** Who of these people owns or shares the entry: they gain from a lower protection, and decide on none. */
export function describeBeneficiaries(
  deps: VaultDeps,
): Handler<(typeof vault.EntitlementsServiceService)['describeBeneficiaries']> {
  return ({ entryId, userIds }, context) =>
    deps.database.readTenant(context.tenantId, async (reader) => {
      const id = requireId(entryId);
      const wanted = new Set(userIds.filter(isId));
      const entry = await reader
        .selectFrom('entries')
        .select('owner_id')
        .where('id', '=', id)
        .where('status', '=', 'active')
        .executeTakeFirst();
      if (!entry) throw ClavigerError.notFound();
      const shares = await reader
        .selectFrom('shares')
        .select('user_id')
        .where('entry_id', '=', id)
        .where(sql<boolean>`user_id = ANY (${[...wanted]}::uuid[])`)
        .execute();
      const found = new Set(shares.map((share) => share.user_id));
      if (entry.owner_id && wanted.has(entry.owner_id)) found.add(entry.owner_id);
      return { userIds: [...found] };
    });
}
