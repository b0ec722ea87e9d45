import { randomBytes } from 'node:crypto';
import type { Reader, Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import { sha256 } from '../sign-in/bearer-secrets.ts';
import { NOBODY } from '../sign-in/lockout.ts';
import { base32 } from './totp.ts';

const COUNT = 10;
const BYTES = 10;

/** Ten new codes of 80 bits in place of all earlier ones; stored as hashes, shown this once. */
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

/** Whether a person has this code unused. Nobody is asked about with the same work. */
export async function hasRecoveryCode(
  reader: Reader<AuthSchema>,
  userId: string | undefined,
  code: string,
): Promise<boolean> {
  const row = await reader
    .selectFrom('recovery_codes')
    .select('id')
    .where('user_id', '=', userId ?? NOBODY)
    .where('code_hash', '=', sha256(code))
    .where('used_at', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}

/** Whether the code was there and unused; it is used now. */
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
