import { ClavigerError } from '@claviger/errors';

/** The refusal of a header that becomes a field and cannot be one. `hint` says what to send; what was sent is not repeated. */
export function headerInvalid(name: string, hint: string, code = 'header_invalid'): ClavigerError {
  return new ClavigerError('invalid', `The header ${name} is not valid.`, { code, hint });
}
