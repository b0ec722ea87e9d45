import { ClavigerError, type FieldProblem } from '@claviger/errors';

/** The refusal of a request whose shape is wrong, naming each field; `code` where a program should tell it from others. */
export function invalidFields(fields: readonly FieldProblem[], code?: string): ClavigerError {
  return new ClavigerError('invalid', 'The request is not valid.', { fields, ...(code ? { code } : {}) });
}
