import { createHash, randomFillSync, randomUUID, timingSafeEqual } from 'node:crypto';
import { decrypt, type Encrypted, encrypt, IV_BYTES, KEY_BYTES, TAG_BYTES } from './aes-gcm.ts';
import {
  BLOB_SHA256_BYTES,
  blobAad,
  COMMITMENT_BYTES,
  commit,
  requireOwnKek,
  type SecretIds,
  unwrapDek,
  WRAPPED_DEK_BYTES,
  withDerivedKeys,
  wrapDek,
} from './content-key.ts';
import { IntegrityError } from './integrity-error.ts';
import type { Kek } from './kek.ts';

/** The stored form of an encrypted secret, besides its ids. It contains nothing secret. */
export type EncryptedSecret = Encrypted & {
  /** Random UUID of the DEK, which encrypts only this secret. */
  readonly dekId: string;
  /** 61 bytes. */
  readonly wrappedDek: Buffer;
  /** 32 bytes. */
  readonly commitment: Buffer;
  /**
   * SHA-256(iv || ciphertext || tag || commitment). The audit log records it, so that a rollback is detected.
   */
  readonly blobSha256: Buffer;
};

/** Largest secret, in bytes. */
export const MAX_SECRET_BYTES = 16 * 1024 * 1024;

/**
 * Encrypts a secret under a new DEK, bound to its ids. The caller wipes the plaintext.
 *
 * @throws {RangeError} when it is larger than 16 MiB.
 * @throws {IntegrityError} `wrong_kek` when the ids name another KEK or tenant.
 * @throws {KekDisposedError} when the KEK was dropped.
 */
export function encryptSecret(kek: Kek, plaintext: Uint8Array, ids: SecretIds): EncryptedSecret {
  if (plaintext.length > MAX_SECRET_BYTES)
    throw new RangeError(`a secret has at most ${MAX_SECRET_BYTES} bytes, this one has ${plaintext.length}`);
  requireOwnKek(kek, ids);
  const dekId = randomUUID();
  const aad = blobAad(ids, dekId);
  const dek = randomFillSync(Buffer.allocUnsafeSlow(KEY_BYTES));
  try {
    const wrappedDek = wrapDek(kek, dek, ids, dekId);
    return withDerivedKeys(dek, (keys) => {
      const encrypted = encrypt(keys.encryption, plaintext, aad);
      const commitment = commit(keys.commitment, aad, encrypted);
      return { ...encrypted, dekId, wrappedDek, commitment, blobSha256: blobHash(encrypted, commitment) };
    });
  } finally {
    dek.fill(0);
  }
}

/**
 * Decrypts a secret. The caller wipes the plaintext (`fill(0)`) after use.
 *
 * @throws {IntegrityError} when a stored byte or an id was changed.
 * @throws {KekDisposedError} when the KEK was dropped.
 */
export function decryptSecret(kek: Kek, record: EncryptedSecret, ids: SecretIds): Buffer {
  requireRecord(record);
  requireOwnKek(kek, ids);
  const aad = blobAad(ids, record.dekId);
  if (!timingSafeEqual(blobHash(record, record.commitment), record.blobSha256))
    throw new IntegrityError('blob_changed');
  const dek = unwrapDek(kek, record.wrappedDek, ids, record.dekId);
  try {
    return withDerivedKeys(dek, (keys) => {
      requireCommitment(keys.commitment, aad, record);
      const plaintext = decrypt(keys.encryption, record, aad);
      if (plaintext === undefined) throw new IntegrityError('ciphertext_refused');
      return plaintext;
    });
  } finally {
    dek.fill(0);
  }
}

/**
 * Wraps the DEK for another KEK of the same tenant. Store the result with `newKek.kekId`; the rest of the
 * record stays. `ids.kekId` names the old KEK. The secret is not decrypted.
 *
 * @throws {IntegrityError} as `decryptSecret`, or `wrong_kek` when the new KEK belongs to another tenant.
 */
export function rewrapDek(oldKek: Kek, newKek: Kek, record: EncryptedSecret, ids: SecretIds): Buffer {
  requireRecord(record);
  requireOwnKek(oldKek, ids);
  const newIds = { ...ids, kekId: newKek.kekId };
  requireOwnKek(newKek, newIds);
  const dek = unwrapDek(oldKek, record.wrappedDek, ids, record.dekId);
  try {
    // A DEK that does not belong to its blob must be detected now, while the old KEK exists.
    withDerivedKeys(dek, (keys) => requireCommitment(keys.commitment, blobAad(ids, record.dekId), record));
    return wrapDek(newKek, dek, newIds, record.dekId);
  } finally {
    dek.fill(0);
  }
}

function requireCommitment(key: Uint8Array, aad: Uint8Array, record: EncryptedSecret): void {
  if (!timingSafeEqual(commit(key, aad, record), record.commitment))
    throw new IntegrityError('commitment_mismatch');
}

function blobHash({ iv, ciphertext, tag }: Encrypted, commitment: Uint8Array): Buffer {
  return createHash('sha256').update(iv).update(ciphertext).update(tag).update(commitment).digest();
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Check lengths first: a cipher with a short tag or IV would authenticate less. */
function requireRecord(record: EncryptedSecret): void {
  const lengthsFit =
    record.iv.length === IV_BYTES &&
    record.tag.length === TAG_BYTES &&
    record.commitment.length === COMMITMENT_BYTES &&
    record.blobSha256.length === BLOB_SHA256_BYTES &&
    record.wrappedDek.length === WRAPPED_DEK_BYTES &&
    record.ciphertext.length <= MAX_SECRET_BYTES;
  if (!lengthsFit || !UUID.test(record.dekId)) throw new IntegrityError('malformed');
}
