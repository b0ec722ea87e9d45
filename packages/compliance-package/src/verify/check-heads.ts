import type { KeyObject } from 'node:crypto';
import { type SignedTreeHead, verifyConsistency, verifyTreeHead } from '@claviger/merkle';
import { LogProblem } from './log-problem.ts';

/**
 * @throws {LogProblem} unless all heads are of the tenant and signed by these keys, and those of the package
 * in order.
 */
export function requireSignedHeads(
  heads: readonly SignedTreeHead[],
  known: readonly SignedTreeHead[],
  { tenantId, keys }: { readonly tenantId: string; readonly keys: readonly KeyObject[] },
): void {
  for (const [index, head] of heads.entries())
    if (index > 0 && heads[index - 1]!.size >= head.size) throw new LogProblem('the heads are not in order');
  for (const [kind, list] of [
    ['head', heads],
    ['known head', known],
  ] as const) {
    for (const head of list) {
      if (head.tenantId !== tenantId)
        throw new LogProblem(`the ${kind} of size ${head.size} is of another tenant`);
      if (!verifyTreeHead(head, keys))
        throw new LogProblem(`the ${kind} of size ${head.size} is not signed by a trusted key`);
    }
  }
}

/**
 * @throws {LogProblem} unless the proof shows that the tree of `size` leaves is a prefix of the newest one.
 */
export function requireBeginning(
  size: number,
  rootHash: string,
  newest: SignedTreeHead,
  proof: readonly string[] | undefined,
): void {
  const bytes = (hex: string) => Buffer.from(hex, 'hex');
  const holds =
    proof !== undefined &&
    verifyConsistency({
      first: size,
      second: newest.size,
      firstRoot: bytes(rootHash),
      secondRoot: bytes(newest.rootHash),
      proof: proof.map(bytes),
    });
  if (!holds)
    throw new LogProblem(`the tree of ${size} events is not proven to be a prefix of the newest one`);
}

/**
 * Returns how many known heads are in this log.
 *
 * @throws {LogProblem} for a known head of the same size with another root: the log was rewritten.
 */
export function matchKnownHeads(
  known: readonly SignedTreeHead[],
  rootAt: (size: number) => string | undefined,
): number {
  let matched = 0;
  for (const { size, rootHash } of known) {
    const root = rootAt(size);
    if (root === undefined) continue;
    if (root !== rootHash)
      throw new LogProblem(`the known head of size ${size} has another root: the log was rewritten`);
    matched += 1;
  }
  return matched;
}
