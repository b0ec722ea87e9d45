import { ClavigerError } from '@claviger/errors';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const isId = (text: string): boolean => UUID.test(text);

/** An id that is no UUID names nothing: the same answer as for any other unknown one. */
export function requireId(text: string): string {
  if (!isId(text)) throw ClavigerError.notFound();
  return text;
}

/** Throws unless the caller changes what it last read. */
export function requireRowVersion(expected: number | undefined, actual: number): void {
  if (expected !== undefined && expected !== actual) {
    throw new ClavigerError('precondition_failed', 'It was changed since you read it.', {
      hint: 'Read it again and repeat the change.',
    });
  }
}

export const time = (value: Date | null | undefined): string | undefined => value?.toISOString();
