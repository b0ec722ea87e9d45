import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Reader, Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';

/** Returns the directory identity of a user; empty with row version 0 if none is set. */
export async function readIdentity(
  reader: Reader<AuthSchema>,
  userId: string,
): Promise<devices.DirectoryIdentity> {
  const row = await reader
    .selectFrom('directory_identities')
    .select([
      'groups',
      'updated_by',
      'updated_at',
      'row_version',
      sql<
        string[]
      >`coalesce((SELECT array_agg(n.account_name ORDER BY n.position) FROM directory_account_names n
        WHERE n.tenant_id = directory_identities.tenant_id AND n.user_id = directory_identities.user_id), '{}')`.as(
        'account_names',
      ),
    ])
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return {
    userId,
    accountNames: row?.account_names ?? [],
    groups: row?.groups ?? [],
    updatedBy: row?.updated_by ?? '',
    updatedAt: row?.updated_at.toISOString(),
    rowVersion: row?.row_version ?? 0,
  };
}

/** Deletes the identity of a deleted user, so that the account names can be given to another user. */
export async function forgetDirectoryIdentity(tx: Tx<AuthSchema>, userId: string): Promise<void> {
  await tx.deleteFrom('directory_identities').where('user_id', '=', userId).execute();
}
