import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Handler } from '@claviger/service-kit';
import { PERMISSIONS } from './permission-patterns.ts';

/** Read from the contract: a permission that an operation asks for cannot be missing here. */
export function listPermissions(_deps: object): Handler<typeof auth.RolesService.listPermissions> {
  return async () => ({ items: [...PERMISSIONS] });
}
