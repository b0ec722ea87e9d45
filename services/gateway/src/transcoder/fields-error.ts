import { ClavigerError, type FieldProblem } from '@claviger/errors';

/** The refusal of a request whose shape is wrong, naming each field. */
export function invalidFields(fields: readonly FieldProblem[]): ClavigerError {
  return new ClavigerError('invalid', 'The request is not valid.', { fields });
}
