import { canonicalJson, parseSignedTreeHead, type SignedTreeHead } from '@claviger/merkle';
import { z } from 'zod';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const size = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const head = z.custom<SignedTreeHead>((value) => parseSignedTreeHead(value) !== undefined);

/**
 * Ties the events of a package to the signed log. From the frontier of the leaves before the first one and
 * the leaves of the stretch follows a root, and a proof leads from it to the newest head. Every other head is
 * compared on the way or has a proof of its own.
 */
export const logProofSchema = z.strictObject({
  tenantId: z.uuid(),
  /** The stretch of the log: from `first` up to, not including, `end`. */
  first: size,
  end: size,
  /** Perfect subtrees over the leaves before `first`, largest first. */
  frontier: z.array(hash).max(64),
  /** Signed heads, smallest first; the last one is the newest. Empty while nothing was ever sealed. */
  heads: z.array(head).max(10_000),
  /** That the tree of `end` leaves is the beginning of the newest one. */
  endProof: z.array(hash).max(128),
  /** For heads before the stretch or after it: that their tree is the beginning of the newest one. */
  headProofs: z.array(z.strictObject({ size, proof: z.array(hash).max(128) })).max(10_000),
});

export type LogProof = z.infer<typeof logProofSchema>;

export function parseLogProof(text: string): LogProof | undefined {
  try {
    const parsed = logProofSchema.safeParse(JSON.parse(text));
    return parsed.success && canonicalJson(parsed.data) === text ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** One leaf of the stretch, in order. */
export const leafSchema = z.strictObject({
  sequence: size,
  leafHash: hash,
  /** Whether the event's text is in the package: `included`, or not, because it happened `outside-range`. */
  text: z.enum(['included', 'outside-range']),
});

export type Leaf = z.infer<typeof leafSchema>;
