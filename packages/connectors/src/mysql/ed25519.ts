import { createHash } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';

/**
 * Derives the keys of MariaDB's plugin `ed25519`: from the password itself instead of RFC 8032's 32-byte
 * seed. The scalar and the prefix of a signature are the two halves of SHA-512 of the password.
 */
function keyOf(password: string): { scalar: bigint; prefix: Buffer; publicKey: Buffer } {
  const digest = createHash('sha512').update(password, 'utf8').digest();
  const clamped = Uint8Array.from(digest.subarray(0, 32));
  clamped[0] = (clamped[0] ?? 0) & 0xf8;
  clamped[31] = ((clamped[31] ?? 0) & 0x7f) | 0x40;
  const scalar = ed25519.Point.Fn.create(little(clamped));
  return { scalar, prefix: digest.subarray(32), publicKey: pointOf(scalar) };
}

/**
 * The hash that the server stores under `ed25519`: the public key in Base64 without padding (43 characters).
 */
export function ed25519Hash(password: string): string {
  return keyOf(password).publicKey.toString('base64').replace(/=+$/, '');
}

/** Signs the server's challenge of 32 bytes; the signature has 64 bytes. */
export function ed25519Signature(password: string, challenge: Uint8Array): Buffer {
  const { Fn } = ed25519.Point;
  const { scalar, prefix, publicKey } = keyOf(password);
  const nonce = sha512Scalar(prefix, challenge);
  const commitment = pointOf(nonce);
  const s = Fn.add(nonce, Fn.mul(sha512Scalar(commitment, publicKey, challenge), scalar));
  return Buffer.concat([commitment, Fn.toBytes(s)]);
}

function pointOf(scalar: bigint): Buffer {
  return Buffer.from(ed25519.Point.BASE.multiply(scalar).toBytes());
}

function sha512Scalar(...parts: readonly Uint8Array[]): bigint {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return ed25519.Point.Fn.create(little(hash.digest()));
}

/** Decodes a little-endian number. */
function little(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}
