import { ClavigerError } from '@claviger/errors';

/** Refuses an invalid header. `hint` says what to send; the error does not repeat the value. */
export function headerInvalid(name: string, hint: string, code = 'header_invalid'): ClavigerError {
  return new ClavigerError('invalid', `The header ${name} is not valid.`, { code, hint });
}
