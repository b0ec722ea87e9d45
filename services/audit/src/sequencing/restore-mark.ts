import { type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';

/** A line in the heads file: the database was restored, and earlier heads no longer bind the log. */
export interface RestoreMark {
  readonly restoreEpoch: number;
  /** RFC 3339. */
  readonly restoredAt: string;
  /** Ed25519 signature by the tree-head key, base64url. */
  readonly signature: string;
}

const schema = z.strictObject({
  restoreEpoch: z.int().positive(),
  restoredAt: z.iso.datetime(),
  signature: z.string(),
});

/** The prefix separates this signature from others of the same key. */
const signed = (epoch: number, at: string): Buffer =>
  Buffer.from(`claviger/restore-mark/v1\n${epoch}\n${at}`);

export function signRestoreMark(epoch: number, key: KeyObject): RestoreMark {
  const restoredAt = new Date().toISOString();
  return {
    restoreEpoch: epoch,
    restoredAt,
    signature: sign(null, signed(epoch, restoredAt), key).toString('base64url'),
  };
}

/** Returns undefined when the line is not a mark or not signed by the key. */
export function parseRestoreMark(line: unknown, publicKey: KeyObject): RestoreMark | undefined {
  const { data: mark } = schema.safeParse(line);
  if (mark === undefined) return undefined;
  const bytes = signed(mark.restoreEpoch, mark.restoredAt);
  return verify(null, bytes, publicKey, Buffer.from(mark.signature, 'base64url')) ? mark : undefined;
}
