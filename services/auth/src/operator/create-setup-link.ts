import type * as auth from '@claviger/contracts/auth/v1/auth';
import { requireActiveTenant } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { createLink } from '../passwords/one-time-links.ts';
import type { OperatorDeps } from './deps.ts';
import { ensureTenant } from './ensure-tenant.ts';
import { hasUser } from './first-user.ts';

export const SETUP_LINK_TTL_MINUTES = 24 * 60;

/** The token stands in the fragment: it reaches no server log and no referrer. */
export const setupUrl = (deps: Pick<OperatorDeps, 'config'>, token: string): string =>
  `${deps.config.publicUrl}/setup#token=${token}`;

/** A one-time link for the first administrator, in place of any earlier one; no link once there is a user. */
export function createSetupLink(deps: OperatorDeps): Handler<typeof auth.OperatorService.createSetupLink> {
  return async (request, context) => {
    const tenantId = await ensureTenant(deps, context, request.tenant);
    context.auditTenantId = tenantId;
    return deps.database.withTenant(tenantId, async (tx) => {
      await tx.selectFrom('tenants').select('id').where('id', '=', tenantId).forNoKeyUpdate().execute();
      // After the row, as whoever suspends the tenant does.
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
        // The log must not say that a link was made when none was.
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
