import { ClavigerError } from '@claviger/errors';

/** A code as a caller gave it, in its one spelling: six ASCII digits, or a recovery code such as `abcd-efgh-ijkl-mnop`. */
export interface OneTimeCode {
  readonly kind: 'otp' | 'recovery';
  readonly text: string;
}

const OTP = /^[0-9]{6}$/;
const RECOVERY = /^[a-z2-7]{16}$/;
/** White space with line ends and no-break spaces, hyphens and dashes, and characters without a width. */
const SEPARATORS = /[\p{White_Space}\p{Dash}\p{Cf}]/gu;

/**
 * Reads a code as apps show it and as it is pasted: separators, letter case, full-width forms and the script of the digits
 * do not matter. Throws `invalid` (`mfa_code_malformed`) for what cannot be a code: that is no guess, and counts as none.
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
    hint: 'Give the code as the authenticator shows it. This try was not counted.',
  });
}

/** Unicode has the ten digits of each script in a row, from zero on. */
function asciiDigit(digit: string): string {
  const codePoint = digit.codePointAt(0)!;
  let before = 0;
  while (/\p{Nd}/u.test(String.fromCodePoint(codePoint - before - 1))) before += 1;
  return String(before % 10);
}
