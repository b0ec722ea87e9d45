import { ClavigerError } from '@claviger/errors';

/** Throws `precondition_failed` when a change is made from another version than the object has. */
export function requireRowVersion(expected: number | undefined, actual: number): void {
  if (expected === undefined || expected === actual) return;
  throw new ClavigerError('precondition_failed', 'It has changed since you read it.', {
    hint: 'Read it again and repeat the change on what it is now.',
  });
}
