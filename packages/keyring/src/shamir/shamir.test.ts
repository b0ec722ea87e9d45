import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import * as library from 'shamir-secret-sharing';
import { expect, test } from 'vitest';
import { inverse, multiply } from './gf256.ts';
import { combineShares, type Share, splitSecret } from './shamir.ts';

/** Slow reference: polynomial product over GF(2), then long division by x^8 + x^4 + x^3 + x + 1. */
function oracleProduct(a: number, b: number): number {
  let product = 0n;
  for (let i = 0n; i < 8n; i++) if ((BigInt(b) >> i) & 1n) product ^= BigInt(a) << i;
  for (let degree = 14n; degree >= 8n; degree--)
    if ((product >> degree) & 1n) product ^= 0x11bn << (degree - 8n);
  return Number(product);
}

/** The polynomial through the points, by Lagrange's formula, at x. */
function oracleAt(points: readonly { x: number; y: number }[], x: number): number {
  let sum = 0;
  for (const { x: xi, y } of points) {
    let [above, below] = [1, 1];
    for (const { x: xj } of points) {
      if (xj === xi) continue;
      above = oracleProduct(above, x ^ xj);
      below = oracleProduct(below, xi ^ xj);
    }
    const reciprocal = Array.from({ length: 256 }, (_, i) => i).find((i) => oracleProduct(i, below) === 1)!;
    sum ^= oracleProduct(y, oracleProduct(above, reciprocal));
  }
  return sum;
}

test('all 65,536 products and all inverses are those of the field', () => {
  for (let a = 0; a < 256; a++) {
    for (let b = 0; b < 256; b++) if (multiply(a, b) !== oracleProduct(a, b)) expect.fail(`${a} times ${b}`);
    expect(oracleProduct(a, inverse(a))).toBe(a === 0 ? 0 : 1);
  }
});

test('a known example: 0x53 and 0xca are inverse to each other', () => {
  expect(multiply(0x53, 0xca)).toBe(1);
});

const schemes = fc
  .integer({ min: 2, max: 8 })
  .chain((threshold) =>
    fc.record({ threshold: fc.constant(threshold), shares: fc.integer({ min: threshold, max: 12 }) }),
  );

test('any `threshold` or more shares, in any order, restore the secret', () => {
  fc.assert(
    fc.property(
      schemes.chain((scheme) =>
        fc.record({
          scheme: fc.constant(scheme),
          chosen: fc.shuffledSubarray(
            Array.from({ length: scheme.shares }, (_, i) => i),
            { minLength: scheme.threshold },
          ),
        }),
      ),
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
      ({ scheme, chosen }, secret) => {
        const shares = splitSecret(secret, scheme);
        expect(shares.map(({ index }) => index)).toEqual(
          Array.from({ length: scheme.shares }, (_, i) => i + 1),
        );
        expect(combineShares(chosen.map((i) => shares[i]!))).toEqual(Buffer.from(secret));
      },
    ),
    { numRuns: 100 },
  );
});

/** A share in the format of the library: the data, then the index. */
const outside = ({ index, data }: Share): Uint8Array => new Uint8Array([...data, index]);

test('shares are interchangeable with those of an audited library', async () => {
  await fc.assert(
    fc.asyncProperty(schemes, fc.uint8Array({ minLength: 1, maxLength: 40 }), async (scheme, secret) => {
      const ours = splitSecret(secret, scheme).slice(-scheme.threshold);
      expect(await library.combine(ours.map(outside))).toEqual(secret);
      const theirs = await library.split(secret, scheme.shares, scheme.threshold);
      const read = theirs.map((share) => ({
        index: share.at(-1)!,
        data: Buffer.from(share.subarray(0, -1)),
      }));
      expect(combineShares(read.slice(0, scheme.threshold))).toEqual(Buffer.from(secret));
    }),
    { numRuns: 50 },
  );
});

test('one share too few leaves all secrets equally likely', () => {
  // For each possible secret byte there is exactly one polynomial through the two known points, so all 256
  // third shares differ.
  const [a, b] = splitSecret(Buffer.of(42), { threshold: 3, shares: 5 });
  const thirds = Array.from({ length: 256 }, (_, guess) =>
    oracleAt(
      [
        { x: 0, y: guess },
        { x: a!.index, y: a!.data[0]! },
        { x: b!.index, y: b!.data[0]! },
      ],
      3,
    ),
  );
  expect(new Set(thirds).size).toBe(256);
});

test('a changed share gives another secret, without an error', () => {
  const secret = randomBytes(32);
  const shares = splitSecret(secret, { threshold: 3, shares: 5 });
  shares[1]!.data[7]! ^= 1;
  expect(combineShares(shares.slice(0, 3)).equals(secret)).toBe(false);
});

test.each([
  [[]],
  [
    [
      { index: 1, data: Buffer.alloc(2) },
      { index: 1, data: Buffer.alloc(2) },
    ],
  ],
  [[{ index: 0, data: Buffer.alloc(2) }]],
  [
    [
      { index: 1, data: Buffer.alloc(2) },
      { index: 2, data: Buffer.alloc(3) },
    ],
  ],
])('invalid shares are refused', (shares) => {
  expect(() => combineShares(shares)).toThrow(RangeError);
});

test.each([
  [1, 5],
  [6, 5],
  [3, 256],
  [2.5, 5],
])('a scheme of %i of %i is refused', (threshold, shares) => {
  expect(() => splitSecret(Buffer.of(1), { threshold, shares })).toThrow(RangeError);
});
