import { randomFillSync } from 'node:crypto';
import { inverse, multiply } from './gf256.ts';

/** The share of one person. `index` is public; `data` is as long as the secret. */
export interface Share {
  /** 1 to 255: where the polynomials were evaluated. */
  readonly index: number;
  readonly data: Buffer;
}

/**
 * Splits a secret so that any `threshold` shares restore it and fewer reveal nothing: each byte is the
 * constant term of its own polynomial (A. Shamir, How to Share a Secret, 1979). The caller wipes the shares.
 */
export function splitSecret(
  secret: Uint8Array,
  { threshold, shares }: { threshold: number; shares: number },
): Share[] {
  if (
    !Number.isInteger(threshold) ||
    !Number.isInteger(shares) ||
    threshold < 2 ||
    shares < threshold ||
    shares > 255
  )
    throw new RangeError('2 <= threshold <= shares <= 255');
  const coefficients = randomFillSync(Buffer.allocUnsafeSlow(secret.length * (threshold - 1)));
  try {
    return Array.from({ length: shares }, (_, i) => {
      const index = i + 1;
      const data = Buffer.allocUnsafeSlow(secret.length);
      for (let at = 0; at < secret.length; at++) {
        // Horner's rule, from the highest power down to the secret.
        let value = 0;
        for (let power = 0; power < threshold - 1; power++)
          value = multiply(value ^ coefficients[at * (threshold - 1) + power]!, index);
        data[at] = value ^ secret[at]!;
      }
      return { index, data };
    });
  } finally {
    coefficients.fill(0);
  }
}

/**
 * Restores the secret by interpolation at zero. Too few or wrong shares give a wrong result without an error:
 * verify it. The caller wipes it.
 */
export function combineShares(shares: readonly Share[]): Buffer {
  const length = shares[0]?.data.length ?? 0;
  const indexes = shares.map(({ index }) => index);
  if (length === 0 || shares.some(({ data }) => data.length !== length))
    throw new RangeError('shares must have the same length');
  if (
    new Set(indexes).size !== indexes.length ||
    indexes.some((x) => !Number.isInteger(x) || x < 1 || x > 255)
  )
    throw new RangeError('shares must have different indexes from 1 to 255');
  const secret = Buffer.allocUnsafeSlow(length).fill(0);
  for (const { index, data } of shares) {
    let weight = 1;
    for (const other of indexes)
      if (other !== index) weight = multiply(weight, multiply(other, inverse(other ^ index)));
    for (let at = 0; at < length; at++) secret[at]! ^= multiply(weight, data[at]!);
  }
  return secret;
}
