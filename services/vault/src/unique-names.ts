import { isUniqueViolation } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';

/** Runs a write in which only the name can violate a unique index. Throws `already_exists` at `/name`. */
export async function withUniqueName<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new ClavigerError('already_exists', `There is already ${what} with this name.`, {
      code: 'name_taken',
      fields: [{ pointer: '/name', detail: 'is taken: choose another name' }],
    });
  }
}
