import type * as devices from '@claviger/contracts/auth/v1/devices';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { requireCurrentActor } from '../users/user-permissions.ts';
import type { ConfigurationPoliciesDeps } from './deps.ts';
import { findPolicy } from './find-policy.ts';
import { lockPlace } from './policy-place.ts';

/** Deletes the setting of one level; the next level then applies. */
export function deleteConfigurationPolicy(
  deps: Pick<ConfigurationPoliciesDeps, 'database' | 'emitter'>,
): Handler<typeof devices.ConfigurationPoliciesService.deleteConfigurationPolicy> {
  return async (request, context) => {
    const subject = `${request.feature}/${request.scope}/${request.scopeId}`;
    context.auditSubject = { type: 'configuration-policy', id: subject };
    await deps.database.withTenant(context.tenantId, async (tx) => {
      await requireCurrentActor(tx, context);
      const place = await lockPlace(tx, context, request);
      const before = await findPolicy(tx, context.tenantId, place);
      if (!before) throw ClavigerError.notFound();
      await tx.deleteFrom('configuration_policies').where('id', '=', before.id).execute();
      await deps.emitter.audit(tx, context, {
        details: { before: before.uac_interception_enabled ?? 'unset' },
      });
    });
    return {};
  };
}
