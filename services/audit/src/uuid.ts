import { ClavigerError } from '@claviger/errors';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** An id of a request; one that is no UUID is that of no object. */
export function existingId(id: string): string {
  if (!UUID.test(id)) throw ClavigerError.notFound();
  return id;
}
