import type { KeyObject } from 'node:crypto';
import {
  type FieldCheck,
  firstBadField,
  isHashHex,
  isKeyId,
  isSignature,
  isText,
  isTimestamp,
} from './signed-fields.ts';
import { type PublicKeys, type Signature, signCanonical, verifyCanonical } from './signing.ts';

/** A signed promise that this event is in the tenant's log: its leaf must be found there later. */
export type Receipt = {
  readonly eventId: string;
  readonly tenantId: string;
  /** `leafHash` of the event's canonical JSON, 64 lower-case hex digits. */
  readonly leafHash: string;
  readonly action: string;
  /** UTC in the format of `toISOString`. */
  readonly issuedAt: string;
};
export type SignedReceipt = Receipt & Signature;

const DOMAIN = 'claviger/receipt/v1';
const RECEIPT_FIELDS: Record<keyof Receipt, FieldCheck> = {
  eventId: isText,
  tenantId: isText,
  leafHash: isHashHex,
  action: isText,
  issuedAt: isTimestamp,
};
const SIGNED_RECEIPT_FIELDS = { ...RECEIPT_FIELDS, keyId: isKeyId, signature: isSignature };

/** @throws {TypeError} for a malformed receipt or a key that is not Ed25519. */
export function signReceipt(receipt: Receipt, privateKey: KeyObject): SignedReceipt {
  const bad = firstBadField(receipt, RECEIPT_FIELDS);
  if (bad !== undefined) throw new TypeError(`a receipt cannot be signed with this ${bad}`);
  return { ...receipt, ...signCanonical(DOMAIN, receipt, privateKey) };
}

/** Whether the receipt is well formed, carries nothing else, and is signed by one of these keys. */
export function verifyReceipt(signed: SignedReceipt, publicKeys: PublicKeys): boolean {
  if (firstBadField(signed, SIGNED_RECEIPT_FIELDS) !== undefined) return false;
  const { keyId, signature, ...receipt } = signed;
  return verifyCanonical(DOMAIN, receipt, { keyId, signature }, publicKeys);
}
