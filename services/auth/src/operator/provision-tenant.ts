import { randomUUID } from 'node:crypto';
import type * as auth from '@claviger/contracts/auth/v1/auth';
import { asTenant, isUniqueViolation, type Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { CallContext, Handler } from '@claviger/service-kit';
import { requireWithinLicense } from '../license/license-usage.ts';
import { createBuiltInRoles } from '../roles/roles-store.ts';
import type { AuthSchema } from '../schema.ts';
import { DEFAULT_TENANT } from '../sign-in/tenants-store.ts';
import { checkTenantName } from '../tenants/tenant-name.ts';
import type { OperatorDeps } from './deps.ts';

/** Creates a tenant with its key and the built-in roles. Throws `already_exists` if the name is taken. */
export function provisionTenant(deps: OperatorDeps): Handler<typeof auth.OperatorService.provisionTenant> {
  return async (request, context) => {
    checkTenantName(request.name);
    await requireWithinLicense(deps, 'tenants');
    const tenantId = await createTenant(deps, context, request.name, request.displayName);
    return { tenantId, name: request.name };
  };
}

/** Creates a tenant whose name the caller has checked, or the platform's tenant. */
export async function createTenant(
  deps: OperatorDeps,
  context: CallContext,
  name: string,
  displayName: string,
): Promise<string> {
  const own = randomUUID();
  const { id } = await deps.database
    .withTenant(own, (tx) => storeTenant(deps, tx, context, { name, displayName }, async () => {}, own))
    .catch(tenantExists);
  context.auditTenantId = id;
  context.audited = true;
  return id;
}

/** Inserts the rows of a new tenant, then runs `also` as that tenant in the same transaction. */
export async function storeTenant<T>(
  deps: Pick<OperatorDeps, 'tenantKeys' | 'emitter'>,
  tx: Tx<AuthSchema>,
  context: CallContext,
  { name, displayName }: { readonly name: string; readonly displayName: string },
  also: (id: string) => Promise<T>,
  id: string = randomUUID(),
): Promise<{ id: string; also: T }> {
  return asTenant(tx, id, async () => {
    await tx
      .insertInto('tenants')
      .values({
        id,
        name,
        display_name: displayName,
        platform: name === DEFAULT_TENANT,
        status_changed_at: null,
      })
      .execute();
    await deps.tenantKeys.create(tx, id);
    await createBuiltInRoles(tx, id);
    const scoped = Object.create(context, { auditTenantId: { value: id } }) as CallContext;
    await deps.emitter.audit(tx, scoped, {
      action: 'tenant.provisioned',
      subject: { type: 'tenant', id },
      details: { name, displayName },
    });
    return { id, also: await also(id) };
  });
}

/** Converts a unique violation to `already_exists`; rethrows any other error. */
export function tenantExists(error: unknown): never {
  if (!isUniqueViolation(error)) throw error;
  throw new ClavigerError('already_exists', 'A tenant with this name already exists.', {
    code: 'tenant_exists',
    cause: undefined,
  });
}
