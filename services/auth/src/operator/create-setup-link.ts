import type * as auth from '@claviger/contracts/auth/v1/auth';
import { requireActiveTenant } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { createLink } from '../passwords/one-time-links.ts';
import type { OperatorDeps } from './deps.ts';
import { ensureTenant } from './ensure-tenant.ts';
import { hasUser } from './first-user.ts';

export const SETUP_LINK_TTL_MINUTES = 24 * 60;

/** The token is in the fragment, which is sent to no server and in no referrer. */
export const setupUrl = (deps: Pick<OperatorDeps, 'config'>, token: string): string =>
  `${deps.config.publicUrl}/setup#token=${token}`;

/**
 * Creates a one-time link for the first administrator, which replaces any earlier one. Creates no link if the
 * tenant has a user.
 */
export function createSetupLink(deps: OperatorDeps): Handler<typeof auth.OperatorService.createSetupLink> {
  return async (request, context) => {
    const tenantId = await ensureTenant(deps, context, request.tenant);
    context.auditTenantId = tenantId;
    return deps.database.withTenant(tenantId, async (tx) => {
      await tx.selectFrom('tenants').select('id').where('id', '=', tenantId).forNoKeyUpdate().execute();
      // Check the status after locking the tenant's row: suspending a tenant locks in the same order.
      await requireActiveTenant(tx);
      const needed = !(await hasUser(tx));
      const link = needed
        ? await createLink(tx, {
            tenantId,
            purpose: 'setup',
            userId: null,
            ttlMinutes: SETUP_LINK_TTL_MINUTES,
          })
        : undefined;
      await deps.emitter.audit(tx, context, {
        // The audit log must not report a link that was not created.
        ...(needed ? {} : { action: 'auth.setup-link.not-needed' }),
        subject: { type: 'tenant', id: tenantId },
        details: { created: needed },
      });
      return {
        setupUrl: link && setupUrl(deps, link.token),
        expiresAt: link?.expiresAt.toISOString(),
      };
    });
  };
}
