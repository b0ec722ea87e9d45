import type { auth } from '@claviger/contracts';
import type { Handler } from '@claviger/service-kit';
import { PERMISSIONS } from './permission-patterns.ts';

/** Read from the contract: a permission that an operation asks for cannot be missing here. */
export function listPermissions(): Handler<(typeof auth.RolesServiceService)['listPermissions']> {
  return async () => ({ items: [...PERMISSIONS] });
}
