import type { auth } from '@claviger/contracts';
import type { Handler } from '@claviger/service-kit';
import type { AuthDeps } from '../deps.ts';
import { createLink } from '../passwords/one-time-links.ts';
import { ensureTenant } from './ensure-tenant.ts';
import { hasUser } from './first-user.ts';

const TTL_MINUTES = 24 * 60;

/** A one-time link for the first administrator, in place of any earlier one; no link once there is a user. */
export function createSetupLink(
  deps: AuthDeps,
): Handler<(typeof auth.OperatorServiceService)['createSetupLink']> {
  return async (request, context) => {
    const tenantId = await ensureTenant(deps, context, request.tenant);
    context.auditTenantId = tenantId;
    return deps.database.withTenant(tenantId, async (tx) => {
      await tx.selectFrom('tenants').select('id').where('id', '=', tenantId).forNoKeyUpdate().execute();
      const needed = !(await hasUser(tx));
      const link = needed
        ? await createLink(tx, { tenantId, purpose: 'setup', userId: null, ttlMinutes: TTL_MINUTES })
        : undefined;
      await deps.emitter.audit(tx, context, {
        // The log must not say that a link was made when none was.
        ...(needed ? {} : { action: 'auth.setup-link.not-needed' }),
        subject: { type: 'tenant', id: tenantId },
        details: { created: needed },
      });
      return {
        // In the fragment: it reaches no server log and no referrer.
        setupUrl: link && `${deps.config.publicUrl}/setup#token=${link.token}`,
        expiresAt: link?.expiresAt.toISOString(),
      };
    });
  };
}
