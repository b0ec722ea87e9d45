import type { KeyObject } from 'node:crypto';
import {
  type FieldCheck,
  firstBadField,
  isHashHex,
  isKeyId,
  isSignature,
  isText,
  isTimestamp,
  isTreeSize,
} from './signed-fields.ts';
import { type PublicKeys, type Signature, signCanonical, verifyCanonical } from './signing.ts';

/** The state of a tenant's log at a time. */
export type TreeHead = {
  readonly tenantId: string;
  /** Number of leaves. */
  readonly size: number;
  /** 64 lower-case hex digits. */
  readonly rootHash: string;
  /** Time of the signature: UTC in the format of `toISOString`. */
  readonly timestamp: string;
  /** Root of the head signed before this one; of the first head, the root of the empty tree. */
  readonly previousRootHash: string;
};
export type SignedTreeHead = TreeHead & Signature;

const DOMAIN = 'claviger/tree-head/v1';
const HEAD_FIELDS: Record<keyof TreeHead, FieldCheck> = {
  tenantId: isText,
  size: isTreeSize,
  rootHash: isHashHex,
  timestamp: isTimestamp,
  previousRootHash: isHashHex,
};
const SIGNED_HEAD_FIELDS = { ...HEAD_FIELDS, keyId: isKeyId, signature: isSignature };

/**
 * Signs a head. Refuses unknown fields, because the signature would not cover them.
 *
 * @throws {TypeError} for a malformed head or a key that is not Ed25519.
 */
export function signTreeHead(head: TreeHead, privateKey: KeyObject): SignedTreeHead {
  const bad = firstBadField(head, HEAD_FIELDS);
  if (bad !== undefined) throw new TypeError(`a tree head cannot be signed with this ${bad}`);
  return { ...head, ...signCanonical(DOMAIN, head, privateKey) };
}

/** Whether the head is well formed and signed by one of these keys. */
export function verifyTreeHead(signed: SignedTreeHead, publicKeys: PublicKeys): boolean {
  const checked = parseSignedTreeHead(signed);
  if (checked === undefined) return false;
  const { keyId, signature, ...head } = checked;
  return verifyCanonical(DOMAIN, head, { keyId, signature }, publicKeys);
}

/**
 * Returns the head with its fields in canonical order, or undefined if any is missing, malformed or unknown.
 */
export function parseSignedTreeHead(value: unknown): SignedTreeHead | undefined {
  if (firstBadField(value, SIGNED_HEAD_FIELDS) !== undefined) return undefined;
  const { tenantId, size, rootHash, timestamp, previousRootHash, keyId, signature } = value as SignedTreeHead;
  return { tenantId, size, rootHash, timestamp, previousRootHash, keyId, signature };
}
