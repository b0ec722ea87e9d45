import { createHash, randomUUID } from 'node:crypto';
import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import type { ElevationFacts } from '@claviger/evaluator';
import type { CallContext, Handler } from '@claviger/service-kit';
import { answerRepeated } from './answer-repeated.ts';
import type { ElevationDeps } from './deps.ts';
import { claimReport, findReport, refuseUntimely, reportOf } from './device-reports.ts';
import { noteDeviceUsers, usersOfDevice } from './device-users.ts';
import { ownDevice } from './own-device.ts';
import { type AskedFor, recordElevation } from './record-elevation.ts';
import { recordIgnored } from './record-ignored.ts';
import { peopleOf, type Subject, subjectIfKnown } from './resolve-subject.ts';

type Prompt = elevation.IngestElevationRequestRequest;

/**
 * Records a prompt of a device. It is stored as reported. The rules treat fields that cannot be parsed as
 * unknown, and then a person decides. A repeated observation is answered with its existing request.
 */
export function ingestElevationRequest(
  deps: ElevationDeps,
): Handler<typeof elevation.AgentElevationsService.ingestElevationRequest> {
  return async (request, context) => {
    const { tenantId, actor } = context;
    const deviceId = await ownDevice(deps, context, request.id);
    context.auditSubject = { type: 'device', id: deviceId, resourceId: deviceId };
    const report = reportOf(request);
    const [snapshot, stored, subject, settings] = await Promise.all([
      deps.decider.snapshot(tenantId),
      deps.database.readTenant(tenantId, async (reader) => ({
        users: await usersOfDevice(reader, deviceId),
        known: await findReport(reader, deviceId, report),
      })),
      subjectIfKnown(deps, context, request.subjectUsername),
      deps.settings.read(tenantId),
    ]);
    const { nowMs } = snapshot;
    refuseUntimely(request, nowMs);
    if (stored.known) return answerRepeated(deps, context, request, stored.known);
    const siteId = actor.device?.siteId ?? null;
    const facts: ElevationFacts = {
      ...factsOf(request, subject, siteId, nowMs),
      otherUserIds: subject.possibleUserIds,
      deviceUserIds: stored.users,
    };
    const decided = await deps.decider.decide(tenantId, facts, snapshot);
    const isIgnored = decided.evaluation.verdict === 'ignored';
    const id = randomUUID();
    const answer = await deps.database.withTenant(tenantId, async (tx) => {
      const claim = { tenantId, deviceId, requestId: isIgnored ? null : id, nowMs };
      if (!(await claimReport(tx, claim, report))) return undefined;
      await noteDeviceUsers(tx, { tenantId, deviceId, userIds: peopleOf(subject) });
      if (isIgnored) {
        await recordIgnored(deps, tx, context, request, decided);
        return { id: undefined, status: 'ignored', httpStatus: 200 };
      }
      const asked = askedFor(context, request, subject, { id, nowMs });
      const row = await recordElevation(deps, tx, context, {
        asked,
        decided,
        terms: settings.values.elevation,
      });
      return { id: row.id, status: row.status, httpStatus: 201 };
    });
    return answer ?? answerRepeated(deps, context, request);
  };
}

function askedFor(
  { tenantId, actor }: CallContext,
  request: Prompt,
  subject: Subject,
  { id, nowMs }: { id: string; nowMs: number },
): AskedFor {
  return {
    tenant_id: tenantId,
    id,
    flow_type: 'uac_intercept',
    device_id: actor.userId,
    device_hostname: actor.userName,
    site_id: actor.device?.siteId ?? null,
    site_name: actor.device?.siteName || null,
    subject_username: request.subjectUsername,
    subject_user_id: subject.userId,
    possible_user_ids: [...subject.possibleUserIds],
    target_executable_path: request.targetExecutablePath,
    target_executable_hash: request.targetExecutableHash || null,
    target_executable_signer: request.targetExecutableSigner || null,
    parent_image: request.parentImage || null,
    pid: request.pid,
    ...digestOf(request.commandLine),
    reason: `Prompt for administrator rights on ${actor.userName}`,
    observed_at: request.observedAt ? new Date(request.observedAt) : null,
    requested_at: new Date(nowMs),
  };
}

/** An absent fact of the program is unknown; an absent signature means that the program is not signed. */
function factsOf(prompt: Prompt, subject: Subject, siteId: string | null, nowMs: number): ElevationFacts {
  return {
    kind: 'elevation',
    flowType: 'uac_intercept',
    at: new Date(nowMs).toISOString(),
    siteId,
    username: prompt.subjectUsername,
    path: prompt.targetExecutablePath,
    signer: prompt.targetExecutableSigner || null,
    ...(subject.userId === undefined ? {} : { subjectUserId: subject.userId }),
    ...(subject.groups ? { groups: subject.groups } : {}),
    ...(prompt.targetExecutableHash ? { hash: prompt.targetExecutableHash } : {}),
    ...(prompt.parentImage ? { parentImage: prompt.parentImage } : {}),
  };
}

/** Command lines can contain passwords: the text is neither stored nor logged. */
function digestOf(commandLine: string): {
  command_line_sha256: string | null;
  command_line_length: number | null;
} {
  if (!commandLine) return { command_line_sha256: null, command_line_length: null };
  return {
    command_line_sha256: createHash('sha256').update(commandLine).digest('hex'),
    command_line_length: commandLine.length,
  };
}
