import { ClavigerError } from '@claviger/errors';

/** Encodes the key of the last row of a page for another service; empty for the last page. */
export function keysetCursor(values: readonly string[] | undefined): string {
  return values === undefined ? '' : Buffer.from(JSON.stringify(values)).toString('base64url');
}

/**
 * The `count` texts of such a cursor; undefined for the first page.
 *
 * @throws {ClavigerError} `invalid` for anything else.
 */
export function parseKeysetCursor(cursor: string, count: number): string[] | undefined {
  if (cursor === '') return undefined;
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(values) && values.length === count && values.every((each) => typeof each === 'string'))
      return values;
  } catch {
    // Reported below, like every other invalid cursor.
  }
  throw ClavigerError.invalid('/cursor', 'must be the cursor of the previous answer');
}
