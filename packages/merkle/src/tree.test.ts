import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { appendLeaves, EMPTY_FRONTIER, type Frontier, rootOf, rootOfLeaves } from './frontier.ts';
import { emptyRoot, leafHash, nodeHash } from './hashes.ts';
import { consistencyProof, consistencyProofNodes, inclusionProof, inclusionProofNodes } from './proofs.ts';
import { verifyConsistency, verifyInclusion } from './verify-proofs.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const leafNo = (n: number): Buffer => leafHash(`entry ${n}`);
const leaves = (size: number): Buffer[] => Array.from({ length: size }, (_, n) => leafNo(n));

/** MTH, PATH and SUBPROOF written down as RFC 6962 2.1 defines them, over all leaf hashes. */
function mth(d: readonly Buffer[]): Buffer {
  if (d.length === 0) return hash('sha256', '', 'buffer');
  if (d.length === 1) return d[0]!;
  const k = split(d.length);
  return nodeHash(mth(d.slice(0, k)), mth(d.slice(k)));
}
function path(m: number, d: readonly Buffer[]): Buffer[] {
  if (d.length === 1) return [];
  const k = split(d.length);
  return m < k
    ? [...path(m, d.slice(0, k)), mth(d.slice(k))]
    : [...path(m - k, d.slice(k)), mth(d.slice(0, k))];
}
function subproof(m: number, d: readonly Buffer[], known: boolean): Buffer[] {
  if (m === d.length) return known ? [] : [mth(d)];
  const k = split(d.length);
  return m <= k
    ? [...subproof(m, d.slice(0, k), known), mth(d.slice(k))]
    : [...subproof(m - k, d.slice(k), false), mth(d.slice(0, k))];
}
const split = (n: number): number => 2 ** Math.floor(Math.log2(n - 1));

/**
 * A tree whose nodes are stored as the audit service stores them. Reading a node that is not there throws.
 */
function storedTree(size: number) {
  const { completedNodes, root, frontier } = appendLeaves(EMPTY_FRONTIER, leaves(size));
  const nodes = new Map(completedNodes.map(({ level, index, hash }) => [`${level}/${index}`, hash]));
  const readNode = (level: number, index: number): Buffer => {
    const node = nodes.get(`${level}/${index}`);
    if (node === undefined) throw new Error(`node ${level}/${index} was never completed`);
    return node;
  };
  return { root, frontier, nodes, readNode };
}

describe('the test vectors of RFC 6962 implementations', () => {
  const entries = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ];
  const hashes = entries.map((entry) => leafHash(Buffer.from(entry, 'hex')));
  const { completedNodes } = appendLeaves(EMPTY_FRONTIER, hashes);
  const readNode = (level: number, index: number): Buffer =>
    completedNodes.find((node) => node.level === level && node.index === index)!.hash;

  test.each([
    [0, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    [1, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
    [2, 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
    [3, 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'],
    [4, 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7'],
    [5, '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4'],
    [6, '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef'],
    [7, 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c'],
    [8, '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'],
  ])('the root of %i leaves', async (size, root) => {
    expect(hex(appendLeaves(EMPTY_FRONTIER, hashes.slice(0, size)).root)).toBe(root);
    expect(hex((await rootOfLeaves(hashes.slice(0, size))).root)).toBe(root);
  });

  const a = '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7';
  const b = '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e';
  const c = '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4';
  const d = 'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b';
  const e = 'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0';
  const f = 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7';
  const g = '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a';
  const two = 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125';
  const one = '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d';

  test.each([
    [0, 1, []],
    [0, 8, [a, b, c]],
    [5, 8, [d, e, f]],
    [2, 3, [two]],
    [1, 5, [one, b, d]],
  ])('the inclusion proof of leaf %i of %i', async (index, size, proof) => {
    expect((await inclusionProof(index, size, readNode)).map(hex)).toEqual(proof);
  });

  test.each([
    [1, 1, []],
    [1, 8, [a, b, c]],
    [6, 8, [g, e, f]],
    [2, 5, [b, d]],
  ])('the consistency proof from %i to %i', async (first, second, proof) => {
    expect((await consistencyProof(first, second, readNode)).map(hex)).toEqual(proof);
  });
});

describe('appending', () => {
  test('in batches of any size gives the same root, frontier and nodes as one batch', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 12 }), (batches) => {
        const size = batches.reduce((sum, n) => sum + n, 0);
        const all = leaves(size);
        let frontier: Frontier = EMPTY_FRONTIER;
        const nodes = [];
        let at = 0;
        for (const n of batches) {
          const appended = appendLeaves(frontier, all.slice(at, at + n));
          frontier = appended.frontier;
          at += n;
          nodes.push(...appended.completedNodes);
          expect(appended.root).toEqual(mth(all.slice(0, at)));
        }
        expect({ frontier, nodes }).toEqual({
          frontier: appendLeaves(EMPTY_FRONTIER, all).frontier,
          nodes: appendLeaves(EMPTY_FRONTIER, all).completedNodes,
        });
      }),
    );
  });

  test('does not change the given frontier', () => {
    const { frontier } = appendLeaves(EMPTY_FRONTIER, leaves(7));
    const before = JSON.stringify(frontier);
    appendLeaves(frontier, leaves(5));
    expect(JSON.stringify(frontier)).toBe(before);
    expect(rootOf(EMPTY_FRONTIER)).toEqual(emptyRoot());
  });

  test('completes each node exactly once: two per leaf, less the size of the frontier', () => {
    for (let size = 0; size <= 130; size++) {
      const { completedNodes, frontier } = appendLeaves(EMPTY_FRONTIER, leaves(size));
      expect(completedNodes.length).toBe(2 * size - frontier.nodes.length);
      expect(new Set(completedNodes.map(({ level, index }) => `${level}/${index}`)).size).toBe(
        completedNodes.length,
      );
    }
  });

  test('supports tree sizes beyond 32 bits', () => {
    const size = 2 ** 40 + 5;
    const frontier = { size, nodes: [leafNo(0), leafNo(1), leafNo(2)] };
    const appended = appendLeaves(frontier, [leafNo(3)]);
    expect(appended.completedNodes.map(({ level, index }) => [level, index])).toEqual([
      [0, 2 ** 40 + 5],
      [1, 2 ** 39 + 2],
    ]);
    expect(appended.frontier.nodes).toHaveLength(3);
  });

  test.each<[string, Frontier]>([
    ['a node too few', { size: 3, nodes: [leafNo(0)] }],
    ['a node too many', { size: 2, nodes: [leafNo(0), leafNo(1)] }],
    ['a short node', { size: 1, nodes: [Buffer.alloc(31)] }],
    ['a negative size', { size: -1, nodes: [] }],
    ['a size that is not whole', { size: 1.5, nodes: [leafNo(0)] }],
    ['a size beyond 2^53', { size: 2 ** 53, nodes: [leafNo(0)] }],
  ])('refuses a frontier with %s', (_name, frontier) => {
    expect(() => appendLeaves(frontier, [leafNo(1)])).toThrow(RangeError);
    expect(() => rootOf(frontier)).toThrow(RangeError);
  });

  test('refuses a leaf that is not a hash, and a node with a child that is not a hash', () => {
    expect(() => appendLeaves(EMPTY_FRONTIER, [Buffer.alloc(0)])).toThrow(RangeError);
    expect(() => nodeHash(Buffer.alloc(33), leafNo(0))).toThrow(RangeError);
  });

  test('a text and its UTF-8 bytes have the same leaf hash, which differs from the node hash of these bytes', () => {
    expect(leafHash('schlüssel €')).toEqual(leafHash(Buffer.from('schlüssel €')));
    const [left, right] = [leafNo(1), leafNo(2)];
    expect(leafHash(Buffer.concat([left, right]))).not.toEqual(nodeHash(left, right));
  });
});

const SIZES = 70;

describe('proofs', () => {
  test(`match the RFC, and verify, for every leaf of every tree up to ${SIZES}`, async () => {
    const { readNode } = storedTree(SIZES);
    for (let size = 1; size <= SIZES; size++) {
      const all = leaves(size);
      const root = mth(all);
      for (let index = 0; index < size; index++) {
        const proof = await inclusionProof(index, size, readNode);
        expect(proof).toEqual(path(index, all));
        expect(verifyInclusion({ leafHash: all[index]!, index, size, proof, root })).toBe(true);
      }
    }
  });

  test(`of consistency match the RFC, and verify, for every two sizes up to ${SIZES}`, async () => {
    const { readNode } = storedTree(SIZES);
    const roots = Array.from({ length: SIZES + 1 }, (_, size) => mth(leaves(size)));
    for (let second = 0; second <= SIZES; second++) {
      for (let first = 0; first <= second; first++) {
        const proof = await consistencyProof(first, second, readNode);
        if (first > 0) expect(proof).toEqual(subproof(first, leaves(second), true));
        const claim = { first, second, firstRoot: roots[first]!, secondRoot: roots[second]!, proof };
        expect(verifyConsistency(claim)).toBe(true);
      }
    }
  });

  test('of random large trees verify, read only listed nodes, and fail with anything changed', async () => {
    const { readNode, nodes } = storedTree(3000);
    const rootAt = new Map<number, Buffer>();
    const root = (size: number): Buffer => {
      const known = rootAt.get(size) ?? appendLeaves(EMPTY_FRONTIER, leaves(size)).root;
      rootAt.set(size, known);
      return known;
    };
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 3000 }), fc.nat(), fc.nat(), async (size, i, j) => {
        const index = i % size;
        const first = 1 + (j % (size - 1));
        const read: string[] = [];
        const spy = (level: number, at: number): Buffer => {
          read.push(`${level}/${at}`);
          return readNode(level, at);
        };
        const inclusion = await inclusionProof(index, size, spy);
        expect(read).toEqual(inclusionProofNodes(index, size).map(({ level, index }) => `${level}/${index}`));
        read.length = 0;
        const consistency = await consistencyProof(first, size, spy);
        expect(read).toEqual(
          consistencyProofNodes(first, size).map(({ level, index }) => `${level}/${index}`),
        );

        const included = { leafHash: leafNo(index), index, size, proof: inclusion, root: root(size) };
        expect(verifyInclusion(included)).toBe(true);
        for (const lie of [
          { leafHash: leafNo(index + 1) },
          { index: (index + 1) % size },
          { root: root(first) },
          { proof: inclusion.slice(1) },
          { proof: inclusion.slice(0, -1) },
          { proof: [...inclusion, leafNo(0)] },
          { proof: [leafNo(index), ...inclusion] },
          { proof: inclusion.toReversed(), skip: inclusion.length < 2 },
          { proof: flip(inclusion, j) },
        ])
          if (!('skip' in lie && lie.skip)) expect(verifyInclusion({ ...included, ...lie })).toBe(false);

        const consistent = {
          first,
          second: size,
          firstRoot: root(first),
          secondRoot: root(size),
          proof: consistency,
        };
        expect(verifyConsistency(consistent)).toBe(true);
        for (const lie of [
          { firstRoot: leafNo(0x7fff) },
          { secondRoot: root(first) },
          { proof: consistency.slice(1) },
          { proof: consistency.slice(0, -1) },
          { proof: [...consistency, leafNo(0)] },
          { proof: flip(consistency, i) },
          { proof: [] },
        ])
          expect(verifyConsistency({ ...consistent, ...lie })).toBe(false);
      }),
      { numRuns: 60 },
    );
    expect(nodes.size).toBeLessThan(6000);
  });

  test('cannot be made for leaves or trees that do not exist', () => {
    const read = (): Buffer => leafNo(0);
    for (const [index, size] of [
      [0, 0],
      [3, 3],
      [-1, 3],
      [0.5, 3],
      [0, 2 ** 53],
    ])
      expect(() => inclusionProof(index!, size!, read)).toThrow(RangeError);
    for (const [first, second] of [
      [4, 3],
      [-1, 3],
      [0, Number.NaN],
      [1.5, 3],
    ])
      expect(() => consistencyProof(first!, second!, read)).toThrow(RangeError);
  });

  test('the verification of a malformed claim returns false and does not throw', () => {
    const good = { leafHash: leafNo(0), index: 0, size: 1, proof: [], root: leafNo(0) };
    expect(verifyInclusion(good)).toBe(true);
    for (const lie of [
      { size: 0 },
      { index: 1 },
      { index: -1 },
      { size: 2 ** 53 },
      { size: 1.5 },
      { index: Number.NaN },
      { leafHash: Buffer.alloc(0) },
      { root: leafNo(0).subarray(1) },
      { proof: [Buffer.alloc(31)] },
    ])
      expect(verifyInclusion({ ...good, ...lie })).toBe(false);
    const empty = { first: 0, second: 1, firstRoot: emptyRoot(), secondRoot: leafNo(0), proof: [] };
    expect(verifyConsistency(empty)).toBe(true);
    for (const lie of [
      { firstRoot: leafNo(1) },
      { proof: [leafNo(0)] },
      { first: 2 },
      { second: 0 },
      { first: -1 },
      { first: 1, firstRoot: leafNo(1) },
      { first: 1, firstRoot: leafNo(0), proof: [leafNo(0)] },
    ])
      expect(verifyConsistency({ ...empty, ...lie })).toBe(false);
  });
});

function flip(proof: readonly Buffer[], seed: number): Buffer[] {
  const copy = proof.map((hash) => Buffer.from(hash));
  if (copy.length === 0) return [leafNo(0)];
  const at = copy[seed % copy.length]!;
  at[seed % 32]! ^= 1 << (seed % 8);
  return copy;
}
