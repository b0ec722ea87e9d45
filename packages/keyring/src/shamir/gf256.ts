/**
 * Arithmetic in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. No table index and no branch depends on a secret:
 * tables leak through the cache (CVE-2023-25000).
 */

const REDUCTION = 0x1b;

/** Product of two field elements (0 to 255). */
export function multiply(a: number, b: number): number {
  let product = 0;
  let x = a;
  for (let bit = 0; bit < 8; bit++) {
    // -1 is all ones, -0 all zeros.
    product ^= -((b >> bit) & 1) & x;
    x = ((x << 1) ^ (-((x >> 7) & 1) & REDUCTION)) & 0xff;
  }
  return product & 0xff;
}

/** The inverse, a^254; 0 for 0. */
export function inverse(a: number): number {
  let result = 1;
  let power = a;
  // 254 is 11111110 in binary.
  for (let bit = 1; bit < 8; bit++) {
    power = multiply(power, power);
    result = multiply(result, power);
  }
  return result;
}
