import { emptyRoot, nodeHash, requireHash, requireSize } from './hashes.ts';

/**
 * The state needed to append to a tree: the hashes of its perfect subtrees, largest (leftmost) first, one per
 * 1 bit of `size`.
 */
export type Frontier = { readonly size: number; readonly nodes: readonly Buffer[] };

/**
 * A perfect subtree: it covers the leaves `index * 2^level` up to `(index + 1) * 2^level`. Level 0 is a leaf.
 */
export type NodeId = { readonly level: number; readonly index: number };
export type StoredNode = NodeId & { readonly hash: Buffer };

export type Appended = {
  readonly frontier: Frontier;
  readonly size: number;
  readonly root: Buffer;
  /**
   * Every perfect node that these leaves complete, including the leaves. They are final: store, never update.
   */
  readonly completedNodes: readonly StoredNode[];
};

/** The frontier of the tree without leaves. */
export const EMPTY_FRONTIER: Frontier = Object.freeze({ size: 0, nodes: Object.freeze([]) });

/**
 * Appends leaf hashes (see `leafHash`) to a tree of which only the frontier is known. Does not modify the
 * given frontier.
 *
 * @throws {RangeError} if the frontier does not fit its size, or a leaf hash is not 32 bytes.
 */
export function appendLeaves(frontier: Frontier, leafHashes: Iterable<Uint8Array>): Appended {
  const accumulator = treeAccumulator(frontier);
  const completedNodes: StoredNode[] = [];
  for (const leaf of leafHashes) accumulator.add(leaf, (node) => completedNodes.push(node));
  const grown = accumulator.frontier();
  return { frontier: grown, size: grown.size, root: rootOf(grown), completedNodes };
}

/** Root hash (MTH of RFC 9162) of the tree with this frontier. */
export function rootOf(frontier: Frontier): Buffer {
  requireFrontier(frontier);
  return foldNodes(frontier.nodes) ?? emptyRoot();
}

/** Root and size of a whole tree from its leaf hashes, read once, in O(log n) memory. */
export async function rootOfLeaves(
  leafHashes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<{ size: number; root: Buffer }> {
  const accumulator = treeAccumulator(EMPTY_FRONTIER);
  for await (const leaf of leafHashes) accumulator.add(leaf);
  const frontier = accumulator.frontier();
  return { size: frontier.size, root: rootOf(frontier) };
}

/** Joins perfect subtrees, largest first, into the hash of the range they cover; undefined for none. */
export function foldNodes(nodes: readonly Buffer[]): Buffer | undefined {
  return nodes.reduceRight<Buffer | undefined>(
    (right, left) => (right === undefined ? left : nodeHash(left, right)),
    undefined,
  );
}

export type TreeAccumulator = {
  readonly size: number;
  add(leaf: Uint8Array, onNode?: (node: StoredNode) => void): void;
  frontier(): Frontier;
};

/** A growing tree in O(log n) memory: the mutable form of `appendLeaves`, for streams. */
export function treeAccumulator(start: Frontier): TreeAccumulator {
  const nodes = [...requireFrontier(start).nodes];
  let size = start.size;
  return {
    get size() {
      return size;
    },
    add(leaf, onNode) {
      requireSize(size + 1, 'the size of the tree');
      let hash: Buffer = Buffer.from(requireHash(leaf));
      let level = 0;
      let index = size;
      onNode?.({ level, index, hash });
      // An odd index is a right child: its left sibling is the last node of the frontier.
      while (index % 2 === 1) {
        hash = nodeHash(nodes.pop()!, hash);
        level += 1;
        index = (index - 1) / 2;
        onNode?.({ level, index, hash });
      }
      nodes.push(hash);
      size += 1;
    },
    frontier: () => ({ size, nodes: [...nodes] }),
  };
}

function requireFrontier(frontier: Frontier): Frontier {
  let ones = 0;
  // Not `>> 1`: bit operators truncate numbers to 32 bits.
  for (let rest = requireSize(frontier.size, 'the size of the tree'); rest > 0; rest = Math.floor(rest / 2))
    ones += rest % 2;
  if (frontier.nodes.length !== ones)
    throw new RangeError(
      `a tree of ${frontier.size} leaves has a frontier of ${ones} nodes, not ${frontier.nodes.length}`,
    );
  frontier.nodes.forEach(requireHash);
  return frontier;
}
