import { createHmac, hash, hkdfSync } from 'node:crypto';
import { type Encrypted, KEY_BYTES, unwrapBytes, wrapBytes } from './aes-gcm.ts';
import { IntegrityError } from './integrity-error.ts';
import type { Kek } from './kek.ts';
import { lengthPrefixed, requireId, versionText } from './length-prefixed.ts';

/** What a sealed secret belongs to. Sealed under one of these and read under another, it does not open. */
export type SecretIds = {
  readonly tenantId: string;
  readonly entryId: string;
  readonly version: number;
  /** What kind of secret, e.g. `password` or `private-key`: one entry may have several. */
  readonly purpose: string;
  readonly kekId: string;
};

export const COMMITMENT_BYTES = 32;
export const BLOB_SHA256_BYTES = 32;
/** Length of a wrapped content key: format, iv, key, tag. */
export const WRAPPED_CEK_BYTES = 1 + 12 + KEY_BYTES + 16;
const HKDF_INFO = 'claviger/v1';
const NO_SALT = Buffer.alloc(0);

/** Wiped as soon as they were used: raw bytes, because a KeyObject of one use costs time and cannot be wiped. */
export type DerivedKeys = { readonly encryption: Buffer; readonly commitment: Buffer };

/** Splits a content key into one that encrypts and one that commits, and wipes both after `use`. */
export function withDerivedKeys<T>(cek: Uint8Array, use: (keys: DerivedKeys) => T): T {
  const bytes = Buffer.from(hkdfSync('sha256', cek, NO_SALT, HKDF_INFO, 2 * KEY_BYTES));
  try {
    return use({ encryption: bytes.subarray(0, KEY_BYTES), commitment: bytes.subarray(KEY_BYTES) });
  } finally {
    bytes.fill(0);
  }
}

/**
 * AES-GCM alone lets one ciphertext open under two keys. The commitment pins the content key that was used:
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
 * What the blob is bound to. The KEK is not among it: the wrapped content key is bound to the KEK, and the blob
 * to that one content key, so that re-wrapping for a new KEK leaves the blob and its audited hash as they are.
 */
export function blobAad(ids: SecretIds, cekId: string): Buffer {
  return lengthPrefixed(['claviger/secret/v1', ...checkedIds(ids), requireId(cekId, 'cekId')]);
}

export function wrapCek(kek: Kek, cek: Uint8Array, ids: SecretIds, cekId: string): Buffer {
  return wrapBytes(kek.key(), cek, cekAad(ids, cekId));
}

/** The content key; the caller wipes it. @throws {IntegrityError} `malformed` or `cek_refused`. */
export function unwrapCek(kek: Kek, wrappedCek: Buffer, ids: SecretIds, cekId: string): Buffer {
  if (wrappedCek.length !== WRAPPED_CEK_BYTES) throw new IntegrityError('malformed');
  const cek = unwrapBytes(kek.key(), wrappedCek, cekAad(ids, cekId));
  if (cek === undefined) throw new IntegrityError('cek_refused');
  return cek;
}

/** @throws {IntegrityError} `wrong_kek` when the ids name another tenant or KEK than this one. */
export function requireOwnKek(kek: Kek, ids: SecretIds): void {
  if (kek.kekId !== ids.kekId || kek.tenantId !== ids.tenantId) throw new IntegrityError('wrong_kek');
}

function cekAad(ids: SecretIds, cekId: string): Buffer {
  const kekId = requireId(ids.kekId, 'kekId');
  return lengthPrefixed(['claviger/cek/v1', ...checkedIds(ids), kekId, requireId(cekId, 'cekId')]);
}

function checkedIds({ tenantId, entryId, version, purpose }: SecretIds): string[] {
  return [
    requireId(tenantId, 'tenantId'),
    requireId(entryId, 'entryId'),
    versionText(version),
    requireId(purpose, 'purpose'),
  ];
}
