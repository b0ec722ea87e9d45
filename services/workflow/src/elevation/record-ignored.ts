import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import type { Tx } from '@claviger/database';
import type { CallContext } from '@claviger/service-kit';
import type { Decided } from '../rules/decider.ts';
import type { WorkflowSchema } from '../schema.ts';
import type { ElevationDeps } from './deps.ts';

/** An ignored prompt has no request, only an audit event. */
export async function recordIgnored(
  deps: Pick<ElevationDeps, 'emitter'>,
  tx: Tx<WorkflowSchema>,
  context: CallContext,
  prompt: elevation.IngestElevationRequestRequest,
  { evaluation }: Decided,
): Promise<void> {
  const { tenantId, actor } = context;
  await deps.emitter.audit(tx, context, {
    details: {
      flowType: 'uac_intercept',
      status: 'ignored',
      because: evaluation.because,
      deviceHostname: actor.userName,
      siteId: actor.device?.siteId ?? null,
      subjectUsername: prompt.subjectUsername,
      targetExecutablePath: prompt.targetExecutablePath,
      targetExecutableHash: prompt.targetExecutableHash || null,
      targetExecutableSigner: prompt.targetExecutableSigner || null,
      ruleId: evaluation.decidingRule?.id ?? null,
      ruleSetVersion: evaluation.ruleSetVersion,
    },
  });
  await deps.emitter.event(tx, tenantId, 'elevation.ignored', { tenantId, deviceId: actor.userId });
}
