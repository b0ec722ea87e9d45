import { randomUUID } from 'node:crypto';
import type { workflow } from '@claviger/contracts';
import type { Reader } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { CallContext, Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { requireLivingAccount } from '../accounts/living-account.ts';
import type { WorkflowDeps } from '../deps.ts';
import { expireRequests } from '../duties/expire-requests.ts';
import { findPolicy } from '../policies/policy-store.ts';
import { recordEvaluation } from '../rules/record-evaluation.ts';
import type { WorkflowSchema } from '../schema.ts';
import { idOrNotFound } from '../uuid.ts';
import { decideAccess } from './decide-access.ts';
import { refuseUndecidable } from './refuse-undecidable.ts';
import { requestDigest } from './request-digest.ts';

type Asked = workflow.RequestProtectionChangeRequest;

/**
 * For the vault, on behalf of somebody with full access to an entry who would lower its protection. An entry that requires a
 * grant is governed by the policy of its resource, or the default one; another by the policy of its resource, if that has one.
 * Repeatable: the same change has one request that waits or is approved. The vault uses an approval once, because it changes
 * the state of the entry that the digest names.
 */
export function requestProtectionChange(
  deps: WorkflowDeps,
): Handler<typeof workflow.ProtectionServiceService.requestProtectionChange> {
  return async (request, context) => {
    const entryId = idOrNotFound(request.entryId);
    const resourceId = request.resourceId === '' ? null : idOrNotFound(request.resourceId);
    if (!request.change?.before || !request.change.after)
      throw ClavigerError.invalid('/change', 'needs before and after');
    const asked = { ...request, entryId };
    const known = await deps.database.readTenant(context.tenantId, async (reader) => ({
      policy: await findPolicy(reader, resourceId),
      request: await findRequest(reader, context, asked),
    }));
    if (!request.change.before.requiresGrant && !known.policy.customised)
      return { governed: false, requestId: '', status: '' };
    const found = known.request ?? (await openRequest(deps, context, asked, resourceId));
    return { governed: true, requestId: found.id, status: found.status };
  };
}

/**
 * The newest that waits, or whose approval still holds: as long as its duration says, by the database's clock, and not beyond an end
 * of the requester's account.
 */
function findRequest(reader: Reader<WorkflowSchema>, context: CallContext, asked: Asked) {
  return reader
    .selectFrom('requests')
    .select(['id', 'status'])
    .where('kind', '=', 'protection')
    .where('entry_id', '=', asked.entryId)
    .where('change_digest', '=', asked.changeDigest)
    .where('requester_id', '=', context.actor.userId)
    .where(
      sql<boolean>`(status = 'pending' AND expires_at > clock_timestamp() OR status = 'approved'
        AND decided_at + make_interval(mins => approved_duration_minutes) > clock_timestamp()
        AND NOT EXISTS (SELECT FROM account_standings s WHERE s.tenant_id = requests.tenant_id
          AND s.user_id = requests.requester_id AND s.ended_at >= requests.decided_at))`,
    )
    .orderBy('status')
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst();
}

async function openRequest(
  deps: WorkflowDeps,
  context: CallContext,
  asked: Asked,
  resourceId: string | null,
): Promise<{ id: string; status: string }> {
  const { tenantId, actor } = context;
  const reason = asked.reason.trim() || 'lowers the protection of the entry';
  const { maximumGrantMinutes } = (await deps.settings.read(tenantId)).values.access;
  const { decided, terms } = await decideAccess(deps, {
    tenantId,
    requesterId: actor.userId,
    resourceId,
    durationMinutes: 1,
    reason,
    maximumMinutes: maximumGrantMinutes,
  });
  await refuseUndecidable(deps, context, asked.entryId, terms.steps);
  // How long the approval can be used.
  const durationMinutes = Math.min(terms.maxDurationMinutes, maximumGrantMinutes);
  const digest = requestDigest({
    kind: 'protection',
    tenantId,
    requesterId: actor.userId,
    entryId: asked.entryId,
    resourceId: asked.resourceId,
    reason,
    ticket: '',
    durationMinutes,
    changeDigest: asked.changeDigest,
  });
  return deps.database.withTenant(tenantId, async (tx) => {
    await requireLivingAccount(tx, actor.userId);
    await expireRequests(deps, tx, (query) =>
      query.where('requester_id', '=', actor.userId).where('entry_id', '=', asked.entryId),
    );
    const id = randomUUID();
    const row = await tx
      .insertInto('requests')
      .values({
        tenant_id: tenantId,
        id,
        kind: 'protection',
        requester_id: actor.userId,
        requester_name: actor.userName,
        requester_behind: [...(actor.behind ?? [])],
        entry_id: asked.entryId,
        entry_name: asked.entryName,
        resource_id: resourceId,
        resource_name: asked.resourceName,
        module_type: asked.moduleType,
        reason,
        ticket: '',
        duration_minutes: durationMinutes,
        digest,
        change: JSON.stringify(asked.change),
        change_digest: asked.changeDigest,
        steps: JSON.stringify(terms.steps),
        one_time: true,
        rotate_on_end: false,
        created_at: sql<Date>`date_trunc('milliseconds', now())`,
        expires_at: sql<Date>`date_trunc('milliseconds', now()) + make_interval(mins => ${terms.requestTtlMinutes})`,
      })
      .onConflict((conflict) =>
        conflict
          .columns(['tenant_id', 'requester_id', 'entry_id', 'digest'])
          // As a parameter it would not match the index once the statement has a generic plan.
          .where(sql<boolean>`status = 'pending'`)
          .doNothing(),
      )
      .returning(['id', 'status'])
      .executeTakeFirst();
    // Somebody asked for the same at the same moment.
    if (!row) return (await findRequest(tx, context, asked)) ?? changedMeanwhile();
    await recordEvaluation(tx, {
      tenantId,
      requestId: id,
      label: `${actor.userName} for the protection of ${asked.resourceName || asked.entryName}`,
      decided,
    });
    await deps.emitter.audit(tx, context, {
      action: 'request.created',
      subject: { type: 'request', id, ...(resourceId ? { resourceId } : {}) },
      reason,
      details: {
        kind: 'protection',
        entryId: asked.entryId,
        entryName: asked.entryName,
        resourceName: asked.resourceName,
        change: asked.change,
        durationMinutes,
        digest,
      },
    });
    return row;
  });
}

function changedMeanwhile(): never {
  throw new ClavigerError('unavailable', 'The request was decided a moment ago.', { retryAfterSeconds: 1 });
}
