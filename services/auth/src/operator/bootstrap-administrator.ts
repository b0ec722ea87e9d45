import type * as auth from '@claviger/contracts/auth/v1/auth';
import { generatePassword } from '@claviger/keyring';
import type { Handler } from '@claviger/service-kit';
import { canonicalLogin, shownLogin } from '../passwords/canonical-login.ts';
import type { OperatorDeps } from './deps.ts';
import { ensureTenant } from './ensure-tenant.ts';
import { createFirstAdministrator, refuseEarly, requireNoUser } from './first-user.ts';

/** About 140 bits, without characters that are easily confused. */
const POLICY = { minLength: 24, maxLength: 24, lower: 1, upper: 1, digits: 1, excludeAmbiguous: true };

/**
 * Creates the first administrator of a tenant with a generated password. Throws `conflict` if the tenant has
 * a user.
 */
export function bootstrapAdministrator(
  deps: OperatorDeps,
): Handler<typeof auth.OperatorService.bootstrapAdministrator> {
  return async (request, context) => {
    canonicalLogin(request.username);
    const tenantId = await ensureTenant(deps, context, request.tenant);
    context.auditTenantId = tenantId;
    await refuseEarly(deps, tenantId);
    const password = generatePassword(POLICY);
    const phc = await deps.passwords.hash(password);
    const userId = await deps.database.withTenant(tenantId, async (tx) => {
      await requireNoUser(tx, tenantId);
      const id = await createFirstAdministrator(tx, tenantId, {
        username: request.username,
        displayName: '',
        email: '',
        phc,
      });
      await deps.emitter.audit(tx, context, { subject: { type: 'user', id }, request });
      return id;
    });
    return { userId, username: shownLogin(request.username), password, tenantId };
  };
}
