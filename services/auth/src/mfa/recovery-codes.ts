import { randomBytes } from 'node:crypto';
import type { Reader, Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import { sha256 } from '../sign-in/bearer-secrets.ts';
import { NIL_ID } from '../sign-in/lockout.ts';
import { base32 } from './totp.ts';

const COUNT = 10;
const BYTES = 10;

/**
 * Creates ten codes of 80 bits, which replace all earlier ones. Only their hashes are stored; they are shown
 * once.
 */
export async function replaceRecoveryCodes(
  tx: Tx<AuthSchema>,
  tenantId: string,
  userId: string,
): Promise<string[]> {
  const codes = Array.from({ length: COUNT }, () =>
    base32(randomBytes(BYTES)).toLowerCase().match(/.{4}/g)!.join('-'),
  );
  await tx.deleteFrom('recovery_codes').where('user_id', '=', userId).execute();
  await tx
    .insertInto('recovery_codes')
    .values(
      codes.map((code) => ({
        tenant_id: tenantId,
        user_id: userId,
        code_hash: sha256(code),
        used_at: null,
      })),
    )
    .execute();
  return codes;
}

/** Whether the user has this code and has not used it. An unknown user causes the same query. */
export async function hasRecoveryCode(
  reader: Reader<AuthSchema>,
  userId: string | undefined,
  code: string,
): Promise<boolean> {
  const row = await reader
    .selectFrom('recovery_codes')
    .select('id')
    .where('user_id', '=', userId ?? NIL_ID)
    .where('code_hash', '=', sha256(code))
    .where('used_at', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}

/** Marks a code as used. Returns false if it was unknown or used before. */
export async function spendRecoveryCode(tx: Tx<AuthSchema>, userId: string, code: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('recovery_codes')
    .set({ used_at: sql`now()` })
    .where('user_id', '=', userId)
    .where('code_hash', '=', sha256(code))
    .where('used_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
