import { ClavigerError } from '@claviger/errors';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const isObjectId = (text: string): boolean => UUID.test(text);

/** The id of a request; what is no id at all is simply not found. */
export function objectId(text: string): string {
  if (!isObjectId(text)) throw ClavigerError.notFound();
  return text;
}
