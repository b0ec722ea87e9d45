import { ClavigerError } from '@claviger/errors';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const isObjectId = (text: string): boolean => UUID.test(text);

/** Returns the id of a request. Throws `not_found` for a text that is not an id. */
export function objectId(text: string): string {
  if (!isObjectId(text)) throw ClavigerError.notFound();
  return text;
}
