import type { KeyObject } from 'node:crypto';
import { rootOf, type SignedTreeHead, verifyTreeHead } from '@claviger/merkle';
import type { LockedTree } from './head-store.ts';
import { SequencingProblem } from './sequencing-problem.ts';

/**
 * Requires that the stored tree matches the last head, and that no head outside is larger or different. A new
 * head on any other tree would make a rewritten or restored log look valid.
 *
 * @throws {SequencingProblem}
 */
export function requireUnbroken(
  tree: LockedTree,
  stored: SignedTreeHead | undefined,
  outside: SignedTreeHead | undefined,
  publicKey: KeyObject,
): void {
  const { size } = tree.frontier;
  if ((stored?.size ?? 0) !== size)
    throw new SequencingProblem(`the tree has ${size} events, its last head covers ${stored?.size ?? 0}`);
  if (stored !== undefined) {
    if (!verifyTreeHead(stored, [publicKey]))
      throw new SequencingProblem(`the stored tree head of size ${size} has a wrong signature`);
    if (rootOf(tree.frontier).toString('hex') !== stored.rootHash)
      throw new SequencingProblem(`the stored tree of ${size} events does not have the root of its head`);
  }
  if (outside === undefined) return;
  if (outside.size > size) {
    if (!verifyTreeHead(outside, [publicKey]))
      throw new SequencingProblem(`the head of size ${outside.size} kept outside is not signed by our key`);
    throw new SequencingProblem(
      `the database has ${size} events, a head kept outside covers ${outside.size}: the log was truncated, or an older state was restored`,
      { behind: true },
    );
  }
  if (outside.size === size && outside.rootHash !== stored?.rootHash)
    throw new SequencingProblem(
      `the stored head of size ${size} differs from the head kept outside: the log was rewritten`,
    );
}
