import { ClavigerError } from '@claviger/errors';

/** A code in canonical form: six ASCII digits, or a recovery code such as `abcd-efgh-ijkl-mnop`. */
export interface OneTimeCode {
  readonly kind: 'otp' | 'recovery';
  readonly text: string;
}

const OTP = /^[0-9]{6}$/;
const RECOVERY = /^[a-z2-7]{16}$/;
/** White space including line ends and no-break spaces, hyphens, dashes and characters without width. */
const SEPARATORS = /[\p{White_Space}\p{Dash}\p{Cf}]/gu;

/**
 * Normalises a code as apps show it or as it is pasted: separators, letter case, full-width forms and the
 * script of the digits do not matter. Throws `invalid` (`mfa_code_malformed`) for a text that cannot be a
 * code; this is not counted as a wrong code.
 */
export function oneTimeCode(given: string): OneTimeCode {
  const text = given
    .normalize('NFKC')
    .replaceAll(SEPARATORS, '')
    .replaceAll(/\p{Nd}/gu, asciiDigit)
    .toLowerCase();
  if (OTP.test(text)) return { kind: 'otp', text };
  if (RECOVERY.test(text)) return { kind: 'recovery', text: text.match(/.{4}/g)!.join('-') };
  throw new ClavigerError('invalid', 'The request is not valid.', {
    code: 'mfa_code_malformed',
    fields: [
      { pointer: '/code', detail: 'must be six digits, or a recovery code such as abcd-efgh-ijkl-mnop' },
    ],
    hint: 'Send the code as the authenticator shows it. This attempt was not counted.',
  });
}

/** Unicode encodes the ten digits of each script consecutively, starting with zero. */
function asciiDigit(digit: string): string {
  const codePoint = digit.codePointAt(0)!;
  let before = 0;
  while (/\p{Nd}/u.test(String.fromCodePoint(codePoint - before - 1))) before += 1;
  return String(before % 10);
}
