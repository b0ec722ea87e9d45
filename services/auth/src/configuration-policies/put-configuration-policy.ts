import { randomUUID } from 'node:crypto';
import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { requireRowVersion } from '../row-version.ts';
import { requireCurrentActor } from '../users/user-permissions.ts';
import type { ConfigurationPoliciesDeps } from './deps.ts';
import { findPolicy } from './find-policy.ts';
import { policiesQuery, policyMessage } from './policies-store.ts';
import { lockPlace } from './policy-place.ts';

/** Replaces the policy of one level. Settings that are absent are left to the next level. */
export function putConfigurationPolicy(
  deps: Pick<ConfigurationPoliciesDeps, 'database' | 'emitter'>,
): Handler<typeof devices.ConfigurationPoliciesService.putConfigurationPolicy> {
  return async (request, context) => {
    const { tenantId } = context;
    const subject = `${request.feature}/${request.scope}/${request.scopeId}`;
    context.auditSubject = { type: 'configuration-policy', id: subject };
    const policy = await deps.database.withTenant(tenantId, async (tx) => {
      await requireCurrentActor(tx, context);
      const place = await lockPlace(tx, context, request);
      const enabled = request.pam!.uacInterceptionEnabled ?? null;
      const before = await findPolicy(tx, tenantId, place);
      requireRowVersion(request.rowVersion, before?.row_version ?? 0);
      const { id } = await tx
        .insertInto('configuration_policies')
        .values({
          tenant_id: tenantId,
          id: randomUUID(),
          ...place,
          uac_interception_enabled: enabled,
          updated_by: context.actor.userId,
        })
        .onConflict((conflict) =>
          conflict
            .columns(['tenant_id', 'feature', 'scope', 'site_id', 'group_id', 'device_id'])
            .doUpdateSet({
              uac_interception_enabled: enabled,
              updated_by: context.actor.userId,
              updated_at: sql<Date>`now()`,
              row_version: sql<number>`configuration_policies.row_version + 1`,
            }),
        )
        .returning('id')
        .executeTakeFirstOrThrow();
      await deps.emitter.audit(tx, context, {
        details: {
          uacInterceptionEnabled: enabled === null ? 'unset' : enabled,
          before: before?.uac_interception_enabled ?? 'unset',
        },
      });
      return policiesQuery(tx).where('configuration_policies.id', '=', id).executeTakeFirstOrThrow();
    });
    return { policy: policyMessage(tenantId)(policy) };
  };
}
