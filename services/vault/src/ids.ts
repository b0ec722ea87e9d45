import { ClavigerError } from '@claviger/errors';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const isId = (text: string): boolean => UUID.test(text);

/** Throws `not_found` unless the text is a UUID, as for the id of an unknown object. */
export function requireId(text: string): string {
  if (!isId(text)) throw ClavigerError.notFound();
  return text;
}

/** Throws `precondition_failed` when the caller read another row version. */
export function requireRowVersion(expected: number | undefined, actual: number): void {
  if (expected !== undefined && expected !== actual) {
    throw new ClavigerError('precondition_failed', 'The object was changed after you read it.', {
      hint: 'Read it again and repeat the change.',
    });
  }
}

export const time = (value: Date | null | undefined): string | undefined => value?.toISOString();
