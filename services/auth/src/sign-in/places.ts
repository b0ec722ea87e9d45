import type { Tx } from '@claviger/database';
import { addressPrefix } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';

export const PLACE_DAYS = 30;
const MAX_PLACES = 20;
/** The place of a call without an address. */
const UNKNOWN_PLACE = 'unknown';

/** Returns the place of a call: an IPv4 address, or the /64 of an IPv6 address. */
export const placeOf = ({ sourceAddress }: { readonly sourceAddress: string }): string =>
  addressPrefix(sourceAddress) ?? UNKNOWN_PLACE;

/**
 * Stores that the account completed a sign-in from this place. Keeps the newest `MAX_PLACES` places of an
 * account.
 */
export async function notePlace(
  tx: Tx<AuthSchema>,
  tenantId: string,
  userId: string,
  place: string,
): Promise<void> {
  await tx
    .insertInto('sign_in_places')
    .values({ tenant_id: tenantId, user_id: userId, place })
    .onConflict((conflict) =>
      conflict.columns(['tenant_id', 'user_id', 'place']).doUpdateSet({ last_at: sql`now()` }),
    )
    .execute();
  await tx
    .deleteFrom('sign_in_places')
    .where('user_id', '=', userId)
    .where('place', 'in', (query) =>
      query
        .selectFrom('sign_in_places')
        .select('place')
        .where('user_id', '=', userId)
        .orderBy('last_at', 'desc')
        .orderBy('place')
        .offset(MAX_PLACES),
    )
    .execute();
}
