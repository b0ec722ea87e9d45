import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import type { ElevationDeps } from './deps.ts';
import { findReport, type KnownReport, reportOf } from './device-reports.ts';
import { statusAt } from './elevation-machine.ts';
import { readElevation } from './read-elevation.ts';
import { subjectOf } from './record-elevation.ts';

type Prompt = elevation.IngestElevationRequestRequest;

/**
 * Answers a repeated report of a known observation with its request. It records only that the report was
 * repeated.
 */
export function answerRepeated(
  deps: Pick<ElevationDeps, 'database' | 'emitter'>,
  context: CallContext,
  request: Prompt,
  found?: KnownReport,
): Promise<elevation.IngestElevationRequestResponse> {
  return deps.database.withTenant(context.tenantId, async (tx) => {
    const known = found ?? (await findReport(tx, context.actor.userId, reportOf(request)));
    // A concurrent report was decided or erased in between.
    if (!known) throw cameAtOnce();
    const { requestId } = known;
    const read = requestId === null ? undefined : await readElevation(tx, requestId);
    const status = read ? statusAt(read.row, read.nowMs) : 'ignored';
    if (read) context.auditSubject = subjectOf(read.row);
    await deps.emitter.audit(tx, context, {
      ...(read ? { subject: subjectOf(read.row) } : {}),
      details: { flowType: 'uac_intercept', status, repeated: true, reportId: request.reportId || null },
    });
    return { id: requestId ?? undefined, status, httpStatus: 200, repeated: true };
  });
}

function cameAtOnce(): ClavigerError {
  return new ClavigerError('conflict', 'The same report came several times at once.', {
    code: 'race_lost',
    hint: 'Report it again.',
  });
}
