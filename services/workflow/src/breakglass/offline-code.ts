import { createHash, randomBytes } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const BYTES = 16;
const LETTERS = 26;
const GROUP = 5;

/** A new offline code: 128 random bits in base32, in groups that can be read aloud. */
export function newOfflineCode(): string {
  let bits = 0n;
  for (const byte of randomBytes(BYTES)) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  // The letters hold 130 bits: the last letter has three bits of the code and two zero bits.
  bits <<= 2n;
  for (let place = LETTERS - 1; place >= 0; place -= 1) {
    text += ALPHABET[Number((bits >> BigInt(place * 5)) & 31n)];
  }
  return text.match(new RegExp(`.{1,${GROUP}}`, 'g'))!.join('-');
}

/** White space including line ends and no-break spaces, hyphens, dashes and zero-width characters. */
const SEPARATORS = /[\p{White_Space}\p{Dash}\p{Cf}]/gu;
const FORM = new RegExp(`^[${ALPHABET}]{${LETTERS}}$`);

/**
 * Whether a text has the form of an offline code, in any spelling. A malformed text is not counted as a
 * guess.
 */
export const isOfflineCode = (text: string): boolean => FORM.test(normalisedCode(text));

/**
 * The code in its standard spelling: case, spaces and dashes are ignored, and digits that resemble letters
 * are replaced.
 */
export function normalisedCode(text: string): string {
  return text
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(SEPARATORS, '')
    .replaceAll('0', 'O')
    .replaceAll('1', 'I')
    .replaceAll('8', 'B');
}

/**
 * The stored hash of a code. It includes the tenant, so that equal codes of two tenants have different
 * hashes.
 */
export function offlineCodeHash(tenantId: string, code: string): Buffer {
  return createHash('sha256')
    .update(`claviger/sealed-code/v1\n${tenantId}\n${normalisedCode(code)}`)
    .digest();
}
