import { rowMapper } from '@claviger/contracts';
import type * as vault from '@claviger/contracts/vault/v1/vault';
import type { Selectable } from 'kysely';
import type { VaultSchema, VaultTx } from '../schema.ts';

/** The access level of the user's share; null without a share. */
export async function accessShared(tx: VaultTx, entryId: string, userId: string): Promise<string | null> {
  const row = await tx
    .selectFrom('shares')
    .select('access')
    .where('entry_id', '=', entryId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row?.access ?? null;
}

export const toShare: (row: Selectable<VaultSchema['shares']>) => vault.Share =
  rowMapper<vault.Share>('claviger.vault.v1.Share');
