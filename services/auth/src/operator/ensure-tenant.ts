import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import { DEFAULT_TENANT, findTenant } from '../sign-in/tenants-store.ts';
import type { OperatorDeps } from './deps.ts';
import { createTenant } from './provision-tenant.ts';

/**
 * Returns the tenant of an operator's command. Creates `default` if it is missing; any other tenant must
 * exist.
 */
export async function ensureTenant(deps: OperatorDeps, context: CallContext, name: string): Promise<string> {
  const found = await findTenant(deps.database, name);
  if (found) return found.id;
  if (name !== '' && name !== DEFAULT_TENANT) throw ClavigerError.notFound();
  try {
    const id = await createTenant(deps, context, DEFAULT_TENANT, 'Default');
    // The command itself still has to record its own event.
    context.audited = false;
    return id;
  } catch (error) {
    const made = await findTenant(deps.database, DEFAULT_TENANT);
    if (!made) throw error;
    return made.id;
  }
}
