import { randomUUID } from 'node:crypto';
import { isUuid } from '@claviger/contracts';
import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import { ClavigerError } from '@claviger/errors';
import type { ToolFacts } from '@claviger/evaluator';
import { type CallContext, type Handler, peopleBehind } from '@claviger/service-kit';
import { internalCall } from '../internal-call.ts';
import type { ElevationDeps } from './deps.ts';
import { elevationMessage } from './elevation-view.ts';
import { recordElevation } from './record-elevation.ts';
import { requireSite } from './refusals.ts';
import { subjectIfKnown } from './resolve-subject.ts';

const DEFAULT_EXECUTION_SECONDS = 900;

/** An AI tool requests one action. The approval is valid for the action with this digest, once. */
export function requestToolAction(
  deps: ElevationDeps,
): Handler<typeof elevation.ToolActionsService.requestToolAction> {
  return async (request, context) => {
    const { tenantId, actor } = context;
    const id = randomUUID();
    context.auditSubject = { type: 'elevation', id };
    const [device, person] = await Promise.all([
      request.deviceId ? deviceOf(deps, context, request.deviceId) : undefined,
      personOf(deps, context, request.onBehalfOf),
    ]);
    const [snapshot, subject, settings] = await Promise.all([
      deps.decider.snapshot(tenantId),
      subjectIfKnown(deps, context, person.name),
      deps.settings.read(tenantId),
    ]);
    const { nowMs } = snapshot;
    const actionDigest = request.actionDigest.toLowerCase();
    const facts: ToolFacts = {
      kind: 'tool',
      at: new Date(nowMs).toISOString(),
      siteId: device?.siteId || null,
      subjectUserId: person.id,
      otherUserIds: peopleBehind(actor),
      username: person.name,
      toolName: request.toolName,
      riskTier: request.riskTier,
      actionDigest,
      ...(subject.groups && subject.userId === person.id ? { groups: subject.groups } : {}),
    };
    const decided = await deps.decider.decide(tenantId, facts, snapshot);
    const waitSeconds = request.executionTimeoutSeconds ?? DEFAULT_EXECUTION_SECONDS;
    const row = await deps.database.withTenant(tenantId, (tx) =>
      recordElevation(deps, tx, context, {
        asked: {
          tenant_id: tenantId,
          id,
          flow_type: 'ai_tool_action',
          device_id: device?.id,
          device_hostname: device?.hostname,
          site_id: device?.siteId || null,
          site_name: device?.siteName || null,
          subject_username: person.name,
          subject_user_id: person.id,
          requester_id: actor.userId,
          requester_made_by: actor.responsibleId,
          possible_user_ids: [
            ...(actor.behind ?? []),
            ...(request.onBehalfOf ? subject.possibleUserIds : []),
          ],
          reason: request.reason,
          requested_at: new Date(nowMs),
          tool_name: request.toolName,
          risk_tier: request.riskTier,
          action_digest: actionDigest,
          execution_expires_at: new Date(nowMs + waitSeconds * 1_000),
        },
        decided,
        terms: settings.values.elevation,
      }),
    );
    return { request: elevationMessage(row, nowMs, actor) };
  };
}

async function deviceOf(deps: ElevationDeps, context: CallContext, deviceId: string) {
  const device = await deps.devices.describeDevice({ deviceId }, internalCall(context));
  requireSite(context.actor, device.siteId || null);
  return device;
}

/** The person for whom the tool works: the named user, else the actor or its responsible person. */
async function personOf(
  deps: ElevationDeps,
  context: CallContext,
  onBehalfOf: string,
): Promise<{ readonly id: string; readonly name: string }> {
  const { actor } = context;
  if (onBehalfOf === '') return { id: actor.responsibleId ?? actor.userId, name: actor.userName };
  const id = onBehalfOf.toLowerCase();
  const { users } = isUuid(id)
    ? await deps.directory.getUserNames({ userIds: [id] }, internalCall(context))
    : { users: [] };
  const user = users.find((each) => each.id === id && each.status === 'active');
  if (!user) throw ClavigerError.invalid('/onBehalfOf', 'does not name an active user');
  return { id, name: user.username };
}
