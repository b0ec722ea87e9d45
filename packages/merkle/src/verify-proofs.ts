import { emptyRoot, HASH_LENGTH, nodeHash } from './hashes.ts';

export type InclusionClaim = {
  readonly leafHash: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
};

export type ConsistencyClaim = {
  readonly first: number;
  readonly second: number;
  readonly firstRoot: Uint8Array;
  readonly secondRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
};

/**
 * Whether the proof shows that the leaf is at `index` in the tree of `size` leaves with this root (RFC 9162
 * 2.1.3.2). Malformed input, including a proof with a missing or extra hash, returns false.
 */
export function verifyInclusion({ leafHash, index, size, proof, root }: InclusionClaim): boolean {
  if (!isSize(index) || !isSize(size) || index >= size || ![leafHash, root, ...proof].every(isHash))
    return false;
  let node = index;
  let last = size - 1;
  let hash: Buffer = Buffer.from(leafHash);
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      hash = nodeHash(sibling, hash);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && hash.equals(root);
}

/**
 * Whether the proof shows that the second tree begins with the first (RFC 9162 2.1.4.2). The empty tree is a
 * prefix of every tree, but only with the root of the empty tree.
 */
export function verifyConsistency({
  first,
  second,
  firstRoot,
  secondRoot,
  proof,
}: ConsistencyClaim): boolean {
  if (!isSize(first) || !isSize(second) || first > second || ![firstRoot, secondRoot, ...proof].every(isHash))
    return false;
  if (second === 0 && !emptyRoot().equals(secondRoot)) return false;
  if (first === second) return proof.length === 0 && Buffer.from(firstRoot).equals(secondRoot);
  if (first === 0) return proof.length === 0 && emptyRoot().equals(firstRoot);
  return foldConsistency({ first, second, firstRoot, secondRoot, proof });
}

function foldConsistency({ first, second, firstRoot, secondRoot, proof }: ConsistencyClaim): boolean {
  let node = first - 1;
  let last = second - 1;
  while (isOdd(node)) [node, last] = [half(node), half(last)];
  // node is 0 exactly when first is a power of two: then the first root itself starts the walk.
  const path = node === 0 ? [firstRoot, ...proof] : proof;
  const [start, ...rest] = path;
  if (start === undefined) return false;
  let firstHash: Buffer = Buffer.from(start);
  let secondHash: Buffer = Buffer.from(start);
  for (const sibling of rest) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      firstHash = nodeHash(sibling, firstHash);
      secondHash = nodeHash(sibling, secondHash);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      secondHash = nodeHash(secondHash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && firstHash.equals(firstRoot) && secondHash.equals(secondRoot);
}

// Arithmetic, because bit operators truncate numbers to 32 bits.
const isOdd = (n: number): boolean => n % 2 === 1;
const half = (n: number): number => Math.floor(n / 2);
const isSize = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
const isHash = (value: unknown): boolean => value instanceof Uint8Array && value.length === HASH_LENGTH;
