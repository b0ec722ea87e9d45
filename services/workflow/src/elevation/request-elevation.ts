import { randomUUID } from 'node:crypto';
import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import type { ElevationFacts } from '@claviger/evaluator';
import { type Handler, peopleBehind } from '@claviger/service-kit';
import { internalCall } from '../internal-call.ts';
import type { ElevationDeps } from './deps.ts';
import { elevationMessage } from './elevation-view.ts';
import { recordElevation } from './record-elevation.ts';
import { decommissioned, requireSite } from './refusals.ts';
import { subjectIfKnown } from './resolve-subject.ts';

/**
 * A technician requests to be administrator of a device for a limited time. A rule that ignores prompts does
 * not ignore such a request.
 */
export function requestElevation(
  deps: ElevationDeps,
): Handler<typeof elevation.ElevationRequestsService.requestElevation> {
  return async (request, context) => {
    const { tenantId, actor } = context;
    const id = randomUUID();
    context.auditSubject = { type: 'elevation', id };
    const device = await deps.devices.describeDevice({ deviceId: request.deviceId }, internalCall(context));
    requireSite(actor, device.siteId || null);
    if (device.status === 'decommissioned') throw decommissioned('/deviceId');
    const [snapshot, subject, settings] = await Promise.all([
      deps.decider.snapshot(tenantId),
      subjectIfKnown(deps, context, actor.userName),
      deps.settings.read(tenantId),
    ]);
    const { nowMs } = snapshot;
    const userId = actor.responsibleId ?? actor.userId;
    const facts: ElevationFacts = {
      kind: 'elevation',
      flowType: 'tech_jit_admin',
      at: new Date(nowMs).toISOString(),
      siteId: device.siteId || null,
      subjectUserId: userId,
      otherUserIds: peopleBehind(actor),
      username: actor.userName,
      ...(subject.groups && subject.userId === userId ? { groups: subject.groups } : {}),
    };
    const decided = await deps.decider.decide(tenantId, facts, snapshot);
    const row = await deps.database.withTenant(tenantId, (tx) =>
      recordElevation(deps, tx, context, {
        asked: {
          tenant_id: tenantId,
          id,
          flow_type: 'tech_jit_admin',
          device_id: device.id,
          device_hostname: device.hostname,
          site_id: device.siteId || null,
          site_name: device.siteName || null,
          subject_username: actor.userName,
          subject_user_id: userId,
          requester_id: actor.userId,
          requester_made_by: actor.responsibleId,
          possible_user_ids: [...(actor.behind ?? [])],
          reason: request.reason,
          // Without a duration, the current default is stored in the request.
          requested_minutes: request.durationMinutes ?? settings.values.elevation.defaultApprovalMinutes,
          requested_at: new Date(nowMs),
        },
        decided,
        terms: settings.values.elevation,
      }),
    );
    return { request: elevationMessage(row, nowMs, actor) };
  };
}
