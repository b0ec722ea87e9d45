import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Handler } from '@claviger/service-kit';
import { PERMISSIONS } from './permission-patterns.ts';

/**
 * Lists the permissions that the contract declares, so every permission that an operation requires is
 * included.
 */
export function listPermissions(_deps: object): Handler<typeof auth.RolesService.listPermissions> {
  return async () => ({ items: [...PERMISSIONS] });
}
