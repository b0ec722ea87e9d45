import { ClavigerError } from '@claviger/errors';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Validates the id of a request. Throws `not_found` for an id that is not a UUID: no object has it. */
export function existingId(id: string): string {
  if (!UUID.test(id)) throw ClavigerError.notFound();
  return id;
}
