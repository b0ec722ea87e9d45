import { ClavigerError } from '@claviger/errors';
import { generatePassword } from '@claviger/keyring';

const MAX_SECRET_BYTES = 65_536;
/** Maximum size of a file whose base64 form fits into a secret. */
const MAX_FILE_BYTES = (MAX_SECRET_BYTES / 4) * 3;

/** A password for an unknown policy: long, with all character classes, without similar characters. */
export function newPassword(): string {
  return generatePassword({
    minLength: 24,
    maxLength: 24,
    lower: 1,
    upper: 1,
    digits: 1,
    symbols: 1,
    excludeAmbiguous: true,
    startWithLetter: true,
  });
}

/** The first secret of an entry, given or generated. Throws `invalid`. */
export function firstSecret(request: { type: string; secret: string; generate: boolean }): string {
  if (!request.generate) return checkedSecret(request.type, request.secret);
  if (request.type !== 'password' && request.type !== 'api-key') {
    throw ClavigerError.invalid('/generate', 'is allowed only for the types password and api-key');
  }
  return newPassword();
}

/**
 * Checks the secret of an entry of this type. Throws `invalid` when it is empty or larger than 64 KiB. A file
 * must be base64 with padding and without line breaks, at most 48 KiB of bytes.
 */
export function checkedSecret(type: string, secret: string): string {
  if (secret === '') throw ClavigerError.invalid('/secret', 'may not be empty');
  if (type === 'file' && Buffer.from(secret, 'base64').toString('base64') !== secret) {
    throw ClavigerError.invalid(
      '/secret',
      'must be the bytes of the file in base64, with padding and without line breaks',
    );
  }
  if (Buffer.byteLength(secret) > MAX_SECRET_BYTES) {
    throw ClavigerError.invalid(
      '/secret',
      type === 'file' ? `may have at most ${MAX_FILE_BYTES} bytes in base64` : 'may have at most 64 KiB',
    );
  }
  return secret;
}
