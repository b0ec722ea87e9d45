import { randomBytes, randomUUID } from 'node:crypto';
import type { Reader, Tx } from '@claviger/database';
import { decryptSecret, encryptSecret } from '@claviger/keyring';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import type { MfaDeps } from './deps.ts';
import { base32, TOTP_SECRET_BYTES } from './totp.ts';

const PURPOSE = 'totp';
/** A pending factor expires after this time and must be set up again. */
const PENDING_MINUTES = 10;

export async function hasConfirmedFactor(reader: Reader<AuthSchema>, userId: string): Promise<boolean> {
  const row = await reader
    .selectFrom('mfa_factors')
    .select('id')
    .where('user_id', '=', userId)
    .where('confirmed_at', 'is not', null)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Creates a pending factor, which replaces an earlier pending one. Returns its secret in base32; undefined if
 * the user has a confirmed factor.
 */
export async function replacePendingFactor(
  deps: MfaDeps,
  tx: Tx<AuthSchema>,
  { tenantId, userId, sessionId }: { tenantId: string; userId: string; sessionId: string },
): Promise<string | undefined> {
  const kek = await deps.tenantKeys.current(tx, tenantId);
  const id = randomUUID();
  const secret = randomBytes(TOTP_SECRET_BYTES);
  try {
    const encrypted = encryptSecret(kek, secret, idsOf(tenantId, id, kek.kekId));
    const columns = {
      id,
      kek_id: kek.kekId,
      cek_id: encrypted.dekId,
      wrapped_cek: encrypted.wrappedDek,
      iv: encrypted.iv,
      ciphertext: encrypted.ciphertext,
      tag: encrypted.tag,
      commitment: encrypted.commitment,
      blob_sha256: encrypted.blobSha256,
      last_step: 0,
      set_up_in: sessionId,
    };
    const stored = await tx
      .insertInto('mfa_factors')
      .values({ tenant_id: tenantId, user_id: userId, confirmed_at: null, ...columns })
      .onConflict((conflict) =>
        conflict
          .columns(['tenant_id', 'user_id'])
          .doUpdateSet({ ...columns, created_at: sql`now()` })
          .where('mfa_factors.confirmed_at', 'is', null),
      )
      .returning('id')
      .executeTakeFirst();
    return stored && base32(secret);
  } finally {
    secret.fill(0);
  }
}

export interface Factor {
  readonly id: string;
  readonly confirmed: boolean;
  /** The session that created a pending factor; undefined once the factor has expired. */
  readonly setUpIn: string | undefined;
  readonly lastStep: number;
  /** The caller overwrites it after use. */
  readonly secret: Buffer;
}

/** Returns the factor of a user and locks it, so that codes of one user are checked one after the other. */
export async function lockFactor(
  deps: MfaDeps,
  tx: Tx<AuthSchema>,
  tenantId: string,
  userId: string,
): Promise<Factor | undefined> {
  const row = await tx
    .selectFrom('mfa_factors')
    .selectAll()
    .select(
      sql<boolean>`created_at > clock_timestamp() - make_interval(mins => ${PENDING_MINUTES}::int)`.as(
        'recent',
      ),
    )
    .where('user_id', '=', userId)
    .forUpdate()
    .executeTakeFirst();
  if (!row) return undefined;
  const kek = await deps.tenantKeys.byId(tx, tenantId, row.kek_id);
  const encrypted = {
    dekId: row.cek_id,
    wrappedDek: row.wrapped_cek,
    iv: row.iv,
    ciphertext: row.ciphertext,
    tag: row.tag,
    commitment: row.commitment,
    blobSha256: row.blob_sha256,
  };
  return {
    id: row.id,
    confirmed: row.confirmed_at !== null,
    setUpIn: row.recent ? (row.set_up_in ?? undefined) : undefined,
    lastStep: row.last_step,
    secret: decryptSecret(kek, encrypted, idsOf(tenantId, row.id, row.kek_id)),
  };
}

/** Marks the code of a step as used. Returns false if this or a later step was used before. */
export async function spendStep(tx: Tx<AuthSchema>, factorId: string, step: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('mfa_factors')
    .set({ last_step: step, confirmed_at: sql`coalesce(confirmed_at, now())` })
    .where('id', '=', factorId)
    .where('last_step', '<', step)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Removes the factor and the recovery codes. Returns false if there was no factor. */
export async function removeFactor(tx: Tx<AuthSchema>, userId: string): Promise<boolean> {
  await tx.deleteFrom('recovery_codes').where('user_id', '=', userId).execute();
  const { numDeletedRows } = await tx
    .deleteFrom('mfa_factors')
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

const idsOf = (tenantId: string, factorId: string, kekId: string) => ({
  tenantId,
  entryId: factorId,
  version: 1,
  purpose: PURPOSE,
  kekId,
});
