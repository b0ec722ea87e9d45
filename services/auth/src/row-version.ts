import { ClavigerError } from '@claviger/errors';

/** Throws `precondition_failed` if `expected` is set and is not the object's current version. */
export function requireRowVersion(expected: number | undefined, actual: number): void {
  if (expected === undefined || expected === actual) return;
  throw new ClavigerError('precondition_failed', 'The object has changed since you read it.', {
    hint: 'Read it again, then repeat your change.',
  });
}
