import type * as assistant from '@claviger/contracts/workflow/v1/assistant';
import { ClavigerError } from '@claviger/errors';
import { type CallContext, type Handler, permits } from '@claviger/service-kit';
import { internalCall } from '../../internal-call.ts';
import { seesAllRequests } from '../../requests/may-see.ts';
import { assistantSettings, requireEnabled } from '../assistant-settings.ts';
import type { AssistantDeps } from '../deps.ts';
import { durationAssessment, inWords, timeAssessment } from './in-words.ts';
import {
  approversOf,
  countAtThisTime,
  countSimilar,
  denialsOf,
  unusedGrantsOf,
  WINDOW_DAYS,
} from './similar-requests.ts';

/** The request or entry that the suggestions are about. */
interface Subject {
  readonly entryId: string;
  readonly entryName: string;
  readonly resourceId: string;
  readonly resourceName: string;
  readonly requesterId: string;
  readonly requestId: string | undefined;
  readonly askedMinutes: number;
  /** ISO; undefined for now. */
  readonly at: string | undefined;
}

/**
 * Figures from earlier requests. Users who see all requests of the tenant get figures of the tenant; others
 * get figures of their own requests. An object that the caller may not see is not found.
 */
export function suggestForRequest(
  deps: AssistantDeps,
): Handler<typeof assistant.AssistantService.suggestForRequest> {
  return async (request, context) => {
    requireEnabled((await assistantSettings(deps, context.tenantId)).values);
    const subject = request.requestId
      ? await subjectOfRequest(deps, request.requestId, context)
      : await subjectOfEntry(deps, request.entryId, request.durationMinutes ?? 0, context);
    const { tenantId, actor } = context;
    context.auditSubject = subject.requestId
      ? { type: 'request', id: subject.requestId }
      : { type: 'entry', id: subject.entryId };
    const all = seesAllRequests(actor) && permits(actor.permissions, 'requests.read');
    const scope = {
      entryId: subject.entryId,
      resourceId: subject.resourceId,
      exceptRequestId: subject.requestId,
      onlyOf: all ? undefined : actor.userId,
    };
    const mayGrants =
      permits(actor.permissions, 'grants.read') &&
      (subject.requesterId === actor.userId || permits(actor.permissions, 'grants.read-all'));
    const found = await deps.database.withTenant(tenantId, async (tx) => {
      const counts = await countSimilar(tx, scope);
      const approvers = await approversOf(tx, scope);
      const denials = await denialsOf(tx, scope);
      const times = await countAtThisTime(tx, scope, subject.at);
      const unused = mayGrants ? await unusedGrantsOf(tx, subject.requesterId) : [];
      await deps.emitter.audit(tx, context, {});
      return { counts, approvers, denials, times, unused };
    });
    const { counts, times } = found;
    const figures = {
      entryId: subject.entryId,
      entryName: subject.entryName,
      resourceName: subject.resourceName,
      scope: all ? 'tenant' : 'own',
      windowDays: WINDOW_DAYS,
      similarRequests: counts.total,
      approvedRequests: counts.approved,
      deniedRequests: counts.denied,
      approvers: await Promise.all(
        found.approvers.map(async (each) => ({
          ...each,
          lastApprovedAt: each.lastApprovedAt.toISOString(),
          available: each.userId !== subject.requesterId && (await mayDecide(deps, each.userId, context)),
        })),
      ),
      duration: {
        askedMinutes: subject.askedMinutes,
        medianMinutes: counts.median ?? 0,
        p90Minutes: counts.p90 ?? 0,
        requests: counts.approved,
        assessment: durationAssessment(subject.askedMinutes, counts.p90 ?? 0, counts.approved),
      },
      time: {
        weekday: times.weekday,
        hour: times.hour,
        requestsAtThisTime: times.atThisTime,
        requests: times.total,
        assessment: timeAssessment(times.atThisTime, times.total),
      },
      unusedGrants: found.unused.map((grant) => ({
        grantId: grant.id,
        entryName: grant.entry_name,
        resourceName: grant.resource_name,
        startsAt: grant.starts_at.toISOString(),
        expiresAt: grant.expires_at.toISOString(),
      })),
      denials: found.denials.map((each) => ({ ...each, deniedAt: each.deniedAt.toISOString() })),
    };
    return { ...figures, suggestions: inWords(figures) };
  };
}

async function subjectOfRequest(
  { reads }: AssistantDeps,
  requestId: string,
  context: CallContext,
): Promise<Subject> {
  const { request } = await reads.getRequest({ requestId }, context);
  if (!request) throw ClavigerError.notFound();
  return {
    entryId: request.entryId,
    entryName: request.entryName,
    resourceId: request.resourceId ?? '',
    resourceName: request.resourceName ?? '',
    requesterId: request.requesterId,
    requestId,
    askedMinutes: request.durationMinutes,
    at: request.createdAt,
  };
}

async function subjectOfEntry(
  { reads }: AssistantDeps,
  entryId: string,
  askedMinutes: number,
  context: CallContext,
): Promise<Subject> {
  const { entry } = await reads.getEntry({ entryId }, context);
  if (!entry) throw ClavigerError.notFound();
  return {
    entryId,
    entryName: entry.name,
    resourceId: entry.resourceId ?? '',
    resourceName: entry.resourceName ?? '',
    requesterId: context.actor.userId,
    requestId: undefined,
    askedMinutes,
    at: undefined,
  };
}

async function mayDecide(deps: AssistantDeps, userId: string, context: CallContext): Promise<boolean> {
  const { active, permissions } = await deps.userPermissions.getUserPermissions(
    { userId },
    internalCall(context),
  );
  return active && permits(new Set(permissions), 'requests.decide');
}
