import { ClavigerError } from '@claviger/errors';
import { generatePassword } from '@claviger/keyring';

const MAX_SECRET_BYTES = 65_536;

/** A password for a target whose policy is not known: long, of all classes, without what people mistake for one another. */
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

/** The secret that an entry starts with: given or generated, exactly one of the two. Throws `invalid`. */
export function firstSecret(request: { type: string; secret: string; generate: boolean }): string {
  if ((request.secret !== '') === request.generate) {
    throw ClavigerError.invalid('/secret', 'give either a secret or generate, exactly one of the two');
  }
  if (!request.generate) return checkedSecret(request.secret);
  if (request.type !== 'password' && request.type !== 'api-key') {
    throw ClavigerError.invalid('/generate', 'is possible for the types password and api-key');
  }
  return newPassword();
}

/** Throws `invalid` when the secret is empty or larger than 64 KiB. */
export function checkedSecret(secret: string): string {
  if (secret === '') throw ClavigerError.invalid('/secret', 'may not be empty');
  if (Buffer.byteLength(secret) > MAX_SECRET_BYTES) {
    throw ClavigerError.invalid('/secret', 'may have at most 64 KiB');
  }
  return secret;
}
