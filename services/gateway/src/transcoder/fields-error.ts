import { ClavigerError, type FieldProblem } from '@claviger/errors';

/** Refuses a request with invalid fields; `code` distinguishes causes for programs. */
export function invalidFields(fields: readonly FieldProblem[], code?: string): ClavigerError {
  return new ClavigerError('invalid', 'The request is not valid.', { fields, ...(code ? { code } : {}) });
}
