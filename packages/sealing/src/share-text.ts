import { createHash, randomFillSync } from 'node:crypto';
import { combineShares, keyCheckOf, splitSecret } from '@claviger/keyring';
import type { SharePart } from './share-collection.ts';

/** Services with a root key of their own. The order is part of the share format. */
export const sealedServices = ['vault', 'auth'] as const;
export type SealedService = (typeof sealedServices)[number];

/** The share of one person: a part per service, so that each service only receives its own. */
export interface ShareText {
  readonly index: number;
  readonly threshold: number;
  readonly shares: number;
  readonly parts: ReadonlyMap<SealedService, SharePart>;
}

/** The text is not a complete share. */
export class ShareTextError extends Error {
  override readonly name = 'ShareTextError';
}

const PREFIX = 'claviger-share-1-';
const KEY_BYTES = 32;
const CHECK_BYTES = 8;
const CHECKSUM_BYTES = 4;
const HEAD_BYTES = 4;

/**
 * Creates a root key for each service and splits each into shares; any `threshold` shares restore all keys.
 * The keys are wiped when this returns. Texts cannot be wiped: show them and end the process.
 */
export function makeShares(
  services: readonly SealedService[],
  { threshold, shares }: { threshold: number; shares: number },
): string[] {
  const ordered = sealedServices.filter((service) => services.includes(service));
  const split = ordered.map((service) => {
    const key = randomFillSync(Buffer.allocUnsafeSlow(KEY_BYTES));
    try {
      const parts = splitSecret(key, { threshold, shares });
      // Verify before anybody relies on them: the last shares restore the key.
      const again = combineShares(parts.slice(-threshold));
      if (!again.equals(key)) throw new Error('the shares do not restore the key');
      again.fill(0);
      return { service, check: Buffer.from(keyCheckOf(key), 'hex'), parts };
    } finally {
      key.fill(0);
    }
  });
  return Array.from({ length: shares }, (_, i) => {
    const mask = ordered.reduce((bits, service) => bits | (1 << sealedServices.indexOf(service)), 0);
    const body = Buffer.concat([
      Buffer.of(threshold, shares, i + 1, mask),
      ...split.flatMap(({ check, parts }) => [check, parts[i]!.data]),
    ]);
    const text = PREFIX + Buffer.concat([body, checksum(body)]).toString('base64url');
    body.fill(0);
    for (const { parts } of split) parts[i]!.data.fill(0);
    return text;
  });
}

/** @throws {ShareTextError} with what is wrong, without contents of the share. */
export function parseShare(text: string): ShareText {
  const trimmed = text.replace(/\s+/g, '');
  if (!trimmed.startsWith(PREFIX)) throw new ShareTextError(`a share starts with ${PREFIX}`);
  const encoded = trimmed.slice(PREFIX.length);
  const bytes = Buffer.from(encoded, 'base64url');
  const body = bytes.subarray(0, -CHECKSUM_BYTES);
  if (
    bytes.toString('base64url') !== encoded ||
    bytes.length < HEAD_BYTES + CHECKSUM_BYTES ||
    !checksum(body).equals(bytes.subarray(-CHECKSUM_BYTES))
  )
    throw new ShareTextError('the share is incomplete or mistyped: its checksum is wrong');
  const [threshold, shares, index, mask] = [...body.subarray(0, HEAD_BYTES)] as [
    number,
    number,
    number,
    number,
  ];
  const parts = new Map<SealedService, SharePart>();
  let at = HEAD_BYTES;
  for (const [bit, service] of sealedServices.entries()) {
    if ((mask & (1 << bit)) === 0) continue;
    const keyCheck = body.subarray(at, at + CHECK_BYTES).toString('hex');
    const data = Buffer.from(body.subarray(at + CHECK_BYTES, at + CHECK_BYTES + KEY_BYTES));
    parts.set(service, { index, threshold, keyCheck, data });
    at += CHECK_BYTES + KEY_BYTES;
  }
  if (at !== body.length || parts.size === 0) throw new ShareTextError('the format of the share is unknown');
  return { index, threshold, shares, parts };
}

function checksum(body: Buffer): Buffer {
  return createHash('sha256').update(PREFIX).update(body).digest().subarray(0, CHECKSUM_BYTES);
}
