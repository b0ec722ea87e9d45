import { ClavigerError } from '@claviger/errors';
import { COMMON_PASSWORDS } from './common-passwords.ts';

const MIN_LENGTH = 12;
const MAX_LENGTH = 256;
const MIN_DISTINCT = 5;

/**
 * RFC 8265 OpaqueString: maps non-ASCII spaces to ASCII, then NFC. Used both for hashing and for
 * verification.
 */
export function opaqueString(password: string): string {
  return password.replace(/\p{Zs}/gu, ' ').normalize('NFC');
}

/** Throws `invalid` at `pointer` unless the password meets the rules for this user. */
export function checkNewPassword(password: string, username: string, pointer: string): void {
  const prepared = opaqueString(password);
  const characters = [...prepared];
  if (characters.length < MIN_LENGTH || characters.length > MAX_LENGTH) {
    throw ClavigerError.invalid(pointer, `must have ${MIN_LENGTH} to ${MAX_LENGTH} characters`);
  }
  if (/\p{Cc}/u.test(prepared)) throw ClavigerError.invalid(pointer, 'may not contain control characters');
  const plain = prepared.toLowerCase();
  const name = username.toLowerCase();
  if (
    new Set(characters).size < MIN_DISTINCT ||
    COMMON_PASSWORDS.has(plain.replace(/[^a-z0-9]/g, '')) ||
    COMMON_PASSWORDS.has(plain) ||
    (name.length >= 3 && plain.replaceAll(name, '').length < MIN_LENGTH / 2)
  ) {
    throw ClavigerError.invalid(pointer, 'is too easy to guess: choose several unrelated words');
  }
}
