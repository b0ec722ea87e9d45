import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { presentMs } from '../database-clock.ts';
import { announce } from './announce.ts';
import type { ElevationDeps } from './deps.ts';
import type { CommandOutcome } from './elevation-schema.ts';
import { present } from './move-elevation.ts';
import { ownDevice } from './own-device.ts';

const DAY_MS = 86_400_000;

/** Stores the outcome of a command. The same report can be repeated; a different one is refused. */
export function reportCommandOutcome(
  deps: ElevationDeps,
): Handler<typeof elevation.AgentElevationsService.reportCommandOutcome> {
  return async (request, context) => {
    const deviceId = await ownDevice(deps, context, request.id);
    const id = request.commandId;
    const outcome = request.outcome as CommandOutcome;
    return deps.database.withTenant(context.tenantId, async (tx) => {
      const command = await tx
        .selectFrom('device_commands')
        .selectAll()
        .where('id', '=', id)
        .where('device_id', '=', deviceId)
        .forUpdate()
        .executeTakeFirst();
      if (!command) throw ClavigerError.notFound();
      context.auditSubject = { type: 'elevation', id: command.request_id, resourceId: deviceId };
      if (command.outcome !== null && command.outcome !== outcome) throw reportedOtherwise();
      const isFirst = command.outcome === null;
      if (isFirst) {
        await tx
          .updateTable('device_commands')
          .set({ outcome, outcome_detail: request.detail, reported_at: present })
          .where('id', '=', id)
          .execute();
      }
      if (isFirst && command.type === 'actuate_elevation') {
        const row = await tx
          .updateTable('elevation_requests')
          .set({ actuation_outcome: outcome })
          .where('id', '=', command.request_id)
          .returningAll()
          .executeTakeFirstOrThrow();
        await announce(deps.emitter, tx, row, 'outcome');
      }
      await deps.emitter.audit(tx, context, {
        reason: request.detail,
        details: {
          commandId: id,
          type: command.type,
          outcome,
          deviceId,
          repeated: !isFirst,
          // The command has not been delivered for a day: the device may have acted long before its report.
          late: command.queued_at.getTime() < (await presentMs(tx)) - DAY_MS,
        },
      });
      return { id, outcome };
    });
  };
}

function reportedOtherwise(): ClavigerError {
  return new ClavigerError('conflict', 'Another outcome of this command has been reported.', {
    code: 'outcome_reported',
    hint: 'The first report is final: do not send another one.',
  });
}
