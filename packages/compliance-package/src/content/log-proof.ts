import { canonicalJson, parseSignedTreeHead, type SignedTreeHead } from '@claviger/merkle';
import { z } from 'zod';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const size = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const head = z.custom<SignedTreeHead>((value) => parseSignedTreeHead(value) !== undefined);

/**
 * Links the events of a package to the signed log. The frontier of the leaves before the first one and the
 * leaves of the range give a root, and a proof links it to the newest head. Every other head is compared on
 * the way or has its own proof.
 */
export const logProofSchema = z.strictObject({
  tenantId: z.uuid(),
  /** The range of the log: from `first` up to, not including, `end`. */
  first: size,
  end: size,
  /** Perfect subtrees over the leaves before `first`, largest first. */
  frontier: z.array(hash).max(64),
  /** Signed heads, smallest first; the last one is the newest. Empty if the log has no head yet. */
  heads: z.array(head).max(10_000),
  /** Proves that the tree of `end` leaves is a prefix of the newest one. */
  endProof: z.array(hash).max(128),
  /** For heads before or after the range: proves that their tree is a prefix of the newest one. */
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

/** One leaf of the range, in order. */
export const leafSchema = z.strictObject({
  sequence: size,
  leafHash: hash,
  /** Whether the package contains the event's text: `included`, or `outside-range` because of its time. */
  text: z.enum(['included', 'outside-range']),
});

export type Leaf = z.infer<typeof leafSchema>;
