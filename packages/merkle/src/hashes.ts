import { hash } from 'node:crypto';

/** Bytes of every hash in the tree (SHA-256). */
export const HASH_LENGTH = 32;

// The prefixes of RFC 9162 2.1.1 prevent that an inner node is accepted as a leaf.
const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;

/** Hash of one entry: SHA-256(0x00 || entry). A string is encoded as UTF-8. */
export function leafHash(entry: Uint8Array | string): Buffer {
  const length = typeof entry === 'string' ? Buffer.byteLength(entry) : entry.length;
  const input = Buffer.allocUnsafe(length + 1);
  input[0] = LEAF_PREFIX;
  if (typeof entry === 'string') input.write(entry, 1, 'utf8');
  else input.set(entry, 1);
  return hash('sha256', input, 'buffer');
}

/** Hash of an inner node: SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(1 + 2 * HASH_LENGTH);
  input[0] = NODE_PREFIX;
  input.set(requireHash(left), 1);
  input.set(requireHash(right), 1 + HASH_LENGTH);
  return hash('sha256', input, 'buffer');
}

/** Root of the tree without leaves: SHA-256 of nothing. */
export function emptyRoot(): Buffer {
  return hash('sha256', '', 'buffer');
}

/** @throws {RangeError} if the value is not 32 bytes long. */
export function requireHash(value: Uint8Array): Uint8Array {
  if (value.length !== HASH_LENGTH)
    throw new RangeError(`a hash has ${HASH_LENGTH} bytes, this one has ${value.length}`);
  return value;
}

/** @throws {RangeError} if the value is not an integer from 0 to 2^53-1. */
export function requireSize(value: number, what: string): number {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${what} must be an integer from 0 to 2^53-1`);
  return value;
}
