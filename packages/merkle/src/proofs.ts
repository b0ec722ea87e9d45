import { foldNodes, type NodeId } from './frontier.ts';
import { requireHash, requireSize } from './hashes.ts';

/**
 * Reads the stored hash of a perfect subtree (see `completedNodes` of `appendLeaves`). All reads of one proof
 * start together, so that a reader can combine them into one query.
 */
export type ReadNode = (level: number, index: number) => Promise<Buffer> | Buffer;

/** Leaves from `begin` up to, not including, `end`. */
type Range = { readonly begin: number; readonly end: number };

/**
 * Proof that leaf `index` is in the tree of `size` leaves (RFC 9162 2.1.3.1), sibling of the leaf first.
 *
 * @throws {RangeError} unless 0 <= index < size.
 */
export function inclusionProof(index: number, size: number, readNode: ReadNode): Promise<Buffer[]> {
  return readRanges(inclusionRanges(index, size), readNode);
}

/**
 * Proof that the tree of `second` leaves begins with the tree of `first` leaves (RFC 9162 2.1.4.1).
 * Empty when first is 0 or equals second.
 *
 * @throws {RangeError} unless 0 <= first <= second.
 */
export function consistencyProof(first: number, second: number, readNode: ReadNode): Promise<Buffer[]> {
  return readRanges(consistencyRanges(first, second), readNode);
}

/** The stored nodes that `inclusionProof` will read, at most 2 log2(size), for one query. */
export function inclusionProofNodes(index: number, size: number): NodeId[] {
  return inclusionRanges(index, size).flatMap(perfectNodes);
}

/** The stored nodes that `consistencyProof` will read, for one query. */
export function consistencyProofNodes(first: number, second: number): NodeId[] {
  return consistencyRanges(first, second).flatMap(perfectNodes);
}

function inclusionRanges(index: number, size: number): Range[] {
  requireSize(index, 'the index of the leaf');
  if (index >= requireSize(size, 'the size of the tree'))
    throw new RangeError(`leaf ${index} is not in a tree of ${size} leaves`);
  const ranges: Range[] = [];
  let begin = 0;
  let end = size;
  while (end - begin > 1) {
    const middle = begin + largestPowerBelow(end - begin);
    if (index < middle) {
      ranges.push({ begin: middle, end });
      end = middle;
    } else {
      ranges.push({ begin, end: middle });
      begin = middle;
    }
  }
  return ranges.reverse();
}

function consistencyRanges(first: number, second: number): Range[] {
  requireSize(first, 'the first size');
  if (first > requireSize(second, 'the second size'))
    throw new RangeError(`a tree of ${second} leaves cannot contain an earlier one of ${first}`);
  if (first === 0 || first === second) return [];
  const ranges: Range[] = [];
  let begin = 0;
  let end = second;
  // Follow the last leaf of the first tree down, until the range ends where the first tree ends.
  while (end !== first) {
    const middle = begin + largestPowerBelow(end - begin);
    if (first <= middle) {
      ranges.push({ begin: middle, end });
      end = middle;
    } else {
      ranges.push({ begin, end: middle });
      begin = middle;
    }
  }
  // A first tree that is itself a perfect left subtree is known to the verifier as its root.
  if (begin > 0) ranges.push({ begin, end });
  return ranges.reverse();
}

function readRanges(ranges: readonly Range[], readNode: ReadNode): Promise<Buffer[]> {
  return Promise.all(
    ranges.map(async (range) => {
      const nodes = await Promise.all(
        perfectNodes(range).map(async ({ level, index }) => {
          const hash = await readNode(level, index);
          requireHash(hash);
          return hash;
        }),
      );
      return foldNodes(nodes)!;
    }),
  );
}

/** The perfect subtrees that make up a range of a tree, left to right. */
function perfectNodes({ begin, end }: Range): NodeId[] {
  const nodes: NodeId[] = [];
  // A range is either one perfect subtree or begins at a multiple of its largest one.
  for (let at = begin; at < end; ) {
    const width = largestPowerBelow(end - at + 1);
    nodes.push({ level: Math.log2(width), index: at / width });
    at += width;
  }
  return nodes;
}

/** The largest power of two that is smaller than n (n > 1). */
function largestPowerBelow(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}
