import { createHash, randomUUID } from 'node:crypto';
import type { elevation } from '@claviger/contracts';
import type { ElevationFacts } from '@claviger/evaluator';
import type { Handler } from '@claviger/service-kit';
import { presentMs } from '../database-clock.ts';
import { decideForAll } from './decide-for-all.ts';
import type { ElevationDeps } from './elevation-deps.ts';
import { ownDevice } from './own-device.ts';
import { recordElevation } from './record-elevation.ts';
import { recordIgnored } from './record-ignored.ts';
import { type Subject, subjectIfKnown } from './resolve-subject.ts';

type Prompt = elevation.IngestElevationRequestRequest;

/**
 * A prompt that a device has seen. It is kept as reported, whatever it holds; what cannot be understood of it is not known
 * to the rules, and then a person decides.
 */
export function ingestElevationRequest(
  deps: ElevationDeps,
): Handler<typeof elevation.AgentElevationsServiceService.ingestElevationRequest> {
  return async (request, context) => {
    const { tenantId, actor } = context;
    const deviceId = await ownDevice(deps, context, request.id);
    context.auditSubject = { type: 'device', id: deviceId, resourceId: deviceId };
    const [nowMs, subject, settings] = await Promise.all([
      deps.database.readTenant(tenantId, presentMs),
      subjectIfKnown(deps, context, request.subjectUsername),
      deps.settings.read(tenantId),
    ]);
    const siteId = actor.device?.siteId ?? null;
    const facts = factsOf(request, subject, siteId, nowMs);
    const decided = await decideForAll(deps.decider, tenantId, facts, subject.possibleUserIds);
    if (decided.evaluation.verdict === 'ignored') {
      await recordIgnored(deps, context, request, decided);
      return { id: undefined, status: 'ignored', httpStatus: 200 };
    }
    const row = await deps.database.withTenant(tenantId, (tx) =>
      recordElevation(deps, tx, context, {
        asked: {
          tenant_id: tenantId,
          id: randomUUID(),
          flow_type: 'uac_intercept',
          device_id: deviceId,
          device_hostname: actor.userName,
          site_id: siteId,
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
        },
        decided,
        terms: settings.values.elevation,
      }),
    );
    return { id: row.id, status: row.status, httpStatus: 201 };
  };
}

/** What is absent of a program is not known; what is absent of its signature is that it has none. */
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

/** Command lines carry passwords: the text itself goes nowhere. */
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
