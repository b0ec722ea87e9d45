import { createHash, randomBytes } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const BYTES = 16;
const LETTERS = 26;
const GROUP = 5;

/** A new sealed code: 128 random bits in base32, in groups that can be read out. */
export function newSealedCode(): string {
  let bits = 0n;
  for (const byte of randomBytes(BYTES)) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  // 130 bits of letters: the last one carries three bits, and two that are zero.
  bits <<= 2n;
  for (let place = LETTERS - 1; place >= 0; place -= 1) {
    text += ALPHABET[Number((bits >> BigInt(place * 5)) & 31n)];
  }
  return text.match(new RegExp(`.{1,${GROUP}}`, 'g'))!.join('-');
}

/** White space with line ends and no-break spaces, hyphens and dashes, and characters without a width. */
const SEPARATORS = /[\p{White_Space}\p{Dash}\p{Cf}]/gu;
const FORM = new RegExp(`^[${ALPHABET}]{${LETTERS}}$`);

/** Whether a text can be a sealed code at all, in any spelling: what cannot is a slip, and no guess. */
export const isSealedCode = (text: string): boolean => FORM.test(normalisedCode(text));

/** As it was typed from paper: case, blanks and dashes do not matter, nor the digits that look like letters. */
export function normalisedCode(text: string): string {
  return text
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(SEPARATORS, '')
    .replaceAll('0', 'O')
    .replaceAll('1', 'I')
    .replaceAll('8', 'B');
}

/** What is stored of a code. With the tenant in it, equal hashes of two tenants are not to be found. */
export function sealedCodeHash(tenantId: string, code: string): Buffer {
  return createHash('sha256')
    .update(`claviger/sealed-code/v1\n${tenantId}\n${normalisedCode(code)}`)
    .digest();
}
