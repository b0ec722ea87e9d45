import type { Reader, Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';

export interface StoredCredential {
  readonly userId: string;
  readonly username: string;
  readonly active: boolean;
  /** Absent for machine identities and for users without a password. */
  readonly phc: string | undefined;
}

/** Returns the user of a sign-in name, whatever their status. */
export async function credentialByLogin(
  reader: Reader<AuthSchema>,
  canonicalLogin: string,
): Promise<StoredCredential | undefined> {
  const row = await credentials(reader).where('canonical_login', '=', canonicalLogin).executeTakeFirst();
  return row && toCredential(row);
}

export async function credentialOfUser(
  reader: Reader<AuthSchema>,
  userId: string,
): Promise<StoredCredential | undefined> {
  const row = await credentials(reader).where('users.id', '=', userId).executeTakeFirst();
  return row && toCredential(row);
}

function credentials(reader: Reader<AuthSchema>) {
  return reader
    .selectFrom('users')
    .leftJoin('credentials', (join) =>
      join
        .onRef('credentials.tenant_id', '=', 'users.tenant_id')
        .onRef('credentials.user_id', '=', 'users.id'),
    )
    .select(['users.id', 'users.username', 'users.status', 'credentials.phc'])
    .where('users.deleted_at', 'is', null);
}

function toCredential(row: {
  id: string;
  username: string;
  status: string;
  phc: string | null;
}): StoredCredential {
  return {
    userId: row.id,
    username: row.username,
    active: row.status === 'active',
    phc: row.phc ?? undefined,
  };
}

export interface NewPassword {
  readonly tenantId: string;
  readonly userId: string;
  readonly phc: string;
  /** Id of another user who set it; null if the user chose it. */
  readonly setBy: string | null;
}

/** Stores the password of a user and ends their unused reset links. */
export async function storePassword(
  tx: Tx<AuthSchema>,
  { tenantId, userId, phc, setBy }: NewPassword,
): Promise<void> {
  await tx
    .insertInto('credentials')
    .values({ tenant_id: tenantId, user_id: userId, phc, set_by: setBy })
    .onConflict((conflict) =>
      conflict.columns(['tenant_id', 'user_id']).doUpdateSet({ phc, set_by: setBy, changed_at: sql`now()` }),
    )
    .execute();
  await tx
    .updateTable('one_time_links')
    .set({ ended_at: sql`now()` })
    .where('user_id', '=', userId)
    .where('ended_at', 'is', null)
    .execute();
}
