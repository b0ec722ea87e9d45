import { ClavigerError } from '@claviger/errors';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** The id in lower case. Throws not_found for a text that is not a UUID, as for an unknown id. */
export function idOrNotFound(text: string): string {
  if (!isUuid(text)) throw ClavigerError.notFound();
  return text.toLowerCase();
}
