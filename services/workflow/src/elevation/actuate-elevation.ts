import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import { ClavigerError } from '@claviger/errors';
import { failpoint, type Handler } from '@claviger/service-kit';
import { internalCall } from '../internal-call.ts';
import { announce } from './announce.ts';
import type { ElevationDeps } from './deps.ts';
import { refusalOf, statusAt } from './elevation-machine.ts';
import { moveElevation } from './move-elevation.ts';
import { queueCommand } from './queue-command.ts';
import { readElevation } from './read-elevation.ts';
import { factsOf, subjectOf } from './record-elevation.ts';
import { decommissioned, refusalError, requireSite } from './refusals.ts';

/**
 * Moves an approved elevation to `actuating`, once, and queues the command for its device in the same
 * transaction.
 */
export function actuateElevation(
  deps: ElevationDeps,
): Handler<typeof elevation.DeviceActuationService.actuateElevation> {
  return async (request, context) => {
    const { tenantId, actor } = context;
    const deviceId = request.id;
    const requestId = request.elevationRequestId;
    context.auditSubject = { type: 'elevation', id: requestId, resourceId: deviceId };
    const { values } = await deps.settings.read(tenantId);
    if (!values.elevation.actuatorEnabled) throw actuatorDisabled();
    const device = await deps.devices.describeDevice({ deviceId }, internalCall(context));
    requireSite(actor, device.siteId || null);
    if (device.status === 'decommissioned') throw decommissioned('/id');
    const commandId = await deps.database.withTenant(tenantId, async (tx) => {
      const { row, nowMs } = await readElevation(tx, requestId);
      if (row.device_id !== deviceId || row.flow_type === 'ai_tool_action') throw ClavigerError.notFound();
      requireSite(actor, row.site_id);
      const refusal = refusalOf('actuate', statusAt(row, nowMs));
      if (refusal) throw refusalError(refusal);
      const moved = await moveElevation(tx, requestId, 'actuate');
      if (!moved) throw refusalError('race_lost');
      const id = await queueCommand(tx, moved, 'actuate_elevation', request.timeoutMs);
      await deps.emitter.audit(tx, context, {
        subject: subjectOf(moved),
        details: { ...factsOf(moved), commandId: id },
      });
      await announce(deps.emitter, tx, moved, 'actuating');
      await failpoint('workflow.elevation.before_actuate_commit');
      return id;
    });
    await failpoint('workflow.elevation.after_actuate');
    return { success: true, commandId, elevationRequestId: requestId };
  };
}

function actuatorDisabled(): ClavigerError {
  return new ClavigerError('denied', 'Elevations are not carried out on devices in this tenant.', {
    code: 'actuator_disabled',
    hint: 'Ask an administrator to enable the setting elevation.actuatorEnabled.',
  });
}
