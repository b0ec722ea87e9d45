import { ClavigerError } from '@claviger/errors';

/** Throws `precondition_failed` when the caller read another row version. */
export function requireRowVersion(expected: number | undefined, actual: number): void {
  if (expected !== undefined && expected !== actual) {
    throw new ClavigerError('precondition_failed', 'The object was changed after you read it.', {
      hint: 'Read it again and repeat the change.',
    });
  }
}

export const time = (value: Date | null | undefined): string | undefined => value?.toISOString();
