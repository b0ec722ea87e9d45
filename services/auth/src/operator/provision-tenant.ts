import { randomUUID } from 'node:crypto';
import type { auth } from '@claviger/contracts';
import { isUniqueViolation } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { CallContext, Handler } from '@claviger/service-kit';
import type { AuthDeps } from '../deps.ts';
import { createBuiltInRoles } from '../roles/roles-store.ts';
import { DEFAULT_TENANT } from '../sign-in/tenants-store.ts';

const TENANT_NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** Creates a tenant with its key and the built-in roles. Throws `already_exists` for a name that is taken. */
export function provisionTenant(
  deps: AuthDeps,
): Handler<(typeof auth.OperatorServiceService)['provisionTenant']> {
  return async (request, context) => {
    const tenantId = await createTenant(deps, context, request.name, request.displayName);
    return { tenantId, name: request.name };
  };
}

export async function createTenant(
  deps: AuthDeps,
  context: CallContext,
  name: string,
  displayName: string,
): Promise<string> {
  if (!TENANT_NAME.test(name) || name.length > 63) {
    throw ClavigerError.invalid('/name', 'must be lower-case letters, digits and inner hyphens');
  }
  const id = randomUUID();
  try {
    await deps.database.withTenant(id, async (tx) => {
      await tx
        .insertInto('tenants')
        .values({ id, name, display_name: displayName, platform: name === DEFAULT_TENANT })
        .execute();
      await deps.tenantKeys.create(tx, id);
      await createBuiltInRoles(tx, id);
      const scoped = Object.create(context, { auditTenantId: { value: id } }) as CallContext;
      await deps.emitter.audit(tx, scoped, {
        action: 'tenant.provisioned',
        subject: { type: 'tenant', id },
        details: { name, displayName },
      });
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new ClavigerError('already_exists', 'There is a tenant of this name already.', {
      code: 'tenant_exists',
      cause: undefined,
    });
  }
  context.auditTenantId = id;
  context.audited = true;
  return id;
}
