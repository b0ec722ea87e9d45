import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';

export const KEY_BYTES = 32;
export const IV_BYTES = 12;
export const TAG_BYTES = 16;
const ALGORITHM = 'aes-256-gcm';
/** First byte of all wrapped data; identifies the algorithm. */
const WRAP_FORMAT = 1;
const WRAP_OVERHEAD_BYTES = 1 + IV_BYTES + TAG_BYTES;

/** A KeyObject for a long-lived key; bytes, which the caller wipes, for a key that is used once. */
export type AesKey = KeyObject | Uint8Array;

export type Encrypted = { readonly iv: Buffer; readonly ciphertext: Buffer; readonly tag: Buffer };

/** AES-256-GCM with a fresh random 96-bit IV. */
export function encrypt(key: AesKey, plaintext: Uint8Array, aad: Uint8Array): Encrypted {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  const ciphertext = cipher.update(plaintext);
  // A stream mode: final() adds no bytes.
  cipher.final();
  return { iv, ciphertext, tag: cipher.getAuthTag() };
}

/** The plaintext; undefined when key, AAD or any byte differs. Never returns unauthenticated data. */
export function decrypt(
  key: AesKey,
  { iv, ciphertext, tag }: Encrypted,
  aad: Uint8Array,
): Buffer | undefined {
  if (iv.length !== IV_BYTES || tag.length !== TAG_BYTES) return undefined;
  const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(tag);
  const plaintext = decipher.update(ciphertext);
  try {
    // Throws only when the tag is wrong.
    decipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    return undefined;
  }
}

/** Encrypts a short value into one self-contained buffer: format, IV, ciphertext, tag. */
export function wrapBytes(key: AesKey, bytes: Uint8Array, aad: Uint8Array): Buffer {
  const { iv, ciphertext, tag } = encrypt(key, bytes, aad);
  return Buffer.concat([Buffer.of(WRAP_FORMAT), iv, ciphertext, tag]);
}

/** Decrypts the output of `wrapBytes`; undefined for other bytes, or another key or AAD. */
export function unwrapBytes(key: AesKey, wrapped: Buffer, aad: Uint8Array): Buffer | undefined {
  if (wrapped.length < WRAP_OVERHEAD_BYTES || wrapped[0] !== WRAP_FORMAT) return undefined;
  const ivEnd = 1 + IV_BYTES;
  const tagStart = wrapped.length - TAG_BYTES;
  const parts = {
    iv: wrapped.subarray(1, ivEnd),
    ciphertext: wrapped.subarray(ivEnd, tagStart),
    tag: wrapped.subarray(tagStart),
  };
  return decrypt(key, parts, aad);
}
