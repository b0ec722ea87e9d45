import { createHmac, hash, hkdfSync } from 'node:crypto';
import { type Encrypted, KEY_BYTES, unwrapBytes, wrapBytes } from './aes-gcm.ts';
import { IntegrityError } from './integrity-error.ts';
import type { Kek } from './kek.ts';
import { lengthPrefixed, requireId, versionText } from './length-prefixed.ts';

/** The ids to which an encrypted secret is bound. It cannot be decrypted under any other ids. */
export type SecretIds = {
  readonly tenantId: string;
  readonly entryId: string;
  readonly version: number;
  /** Kind of secret, e.g. `password` or `private-key`; one entry may have several. */
  readonly purpose: string;
  readonly kekId: string;
};

export const COMMITMENT_BYTES = 32;
export const BLOB_SHA256_BYTES = 32;
/** Length of a wrapped DEK: format, IV, key, tag. */
export const WRAPPED_DEK_BYTES = 1 + 12 + KEY_BYTES + 16;
const HKDF_INFO = 'claviger/v1';
const NO_SALT = Buffer.alloc(0);

/** Raw bytes that are wiped after use; a KeyObject would be slower and cannot be wiped. */
export type DerivedKeys = { readonly encryption: Buffer; readonly commitment: Buffer };

/** Derives an encryption key and a commitment key from a DEK, and wipes both after `use`. */
export function withDerivedKeys<T>(dek: Uint8Array, use: (keys: DerivedKeys) => T): T {
  const bytes = Buffer.from(hkdfSync('sha256', dek, NO_SALT, HKDF_INFO, 2 * KEY_BYTES));
  try {
    return use({ encryption: bytes.subarray(0, KEY_BYTES), commitment: bytes.subarray(KEY_BYTES) });
  } finally {
    bytes.fill(0);
  }
}

/**
 * AES-GCM does not prevent one ciphertext from decrypting under two keys. The commitment fixes the DEK:
 * HMAC(commitment key, aad || iv || SHA-256(ciphertext)).
 */
export function commit(key: Uint8Array, aad: Uint8Array, { iv, ciphertext }: Encrypted): Buffer {
  return createHmac('sha256', key)
    .update(aad)
    .update(iv)
    .update(hash('sha256', ciphertext, 'buffer'))
    .digest();
}

/**
 * The AAD of the blob. It does not contain the KEK: the wrapped DEK is bound to the KEK and the blob to the
 * DEK, so that re-wrapping for a new KEK changes neither the blob nor its audited hash.
 */
export function blobAad(ids: SecretIds, dekId: string): Buffer {
  return lengthPrefixed(['claviger/secret/v1', ...checkedIds(ids), requireId(dekId, 'dekId')]);
}

export function wrapDek(kek: Kek, dek: Uint8Array, ids: SecretIds, dekId: string): Buffer {
  return wrapBytes(kek.key(), dek, dekAad(ids, dekId));
}

/** The DEK; the caller wipes it. @throws {IntegrityError} `malformed` or `cek_refused`. */
export function unwrapDek(kek: Kek, wrappedDek: Buffer, ids: SecretIds, dekId: string): Buffer {
  if (wrappedDek.length !== WRAPPED_DEK_BYTES) throw new IntegrityError('malformed');
  const dek = unwrapBytes(kek.key(), wrappedDek, dekAad(ids, dekId));
  if (dek === undefined) throw new IntegrityError('cek_refused');
  return dek;
}

/** @throws {IntegrityError} `wrong_kek` when the ids name another tenant or KEK. */
export function requireOwnKek(kek: Kek, ids: SecretIds): void {
  if (kek.kekId !== ids.kekId || kek.tenantId !== ids.tenantId) throw new IntegrityError('wrong_kek');
}

function dekAad(ids: SecretIds, dekId: string): Buffer {
  const kekId = requireId(ids.kekId, 'kekId');
  return lengthPrefixed(['claviger/cek/v1', ...checkedIds(ids), kekId, requireId(dekId, 'dekId')]);
}

function checkedIds({ tenantId, entryId, version, purpose }: SecretIds): string[] {
  return [
    requireId(tenantId, 'tenantId'),
    requireId(entryId, 'entryId'),
    versionText(version),
    requireId(purpose, 'purpose'),
  ];
}
