import { isUniqueViolation } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';

/** Runs a write whose only unique value from outside is a name. */
export async function withUniqueName<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new ClavigerError('already_exists', `There is ${what} with this name already.`, {
      code: 'name_taken',
      fields: [{ pointer: '/name', detail: 'is taken: choose another name' }],
    });
  }
}
