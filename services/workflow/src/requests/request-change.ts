import { randomUUID } from 'node:crypto';
import type { Reader } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import { sql } from 'kysely';
import { requireActiveAccount } from '../accounts/require-active-account.ts';
import { expireRequests } from '../duties/expire-requests.ts';
import { recordEvaluation } from '../rules/record-evaluation.ts';
import type { PolicyChange, ProtectionChange, WorkflowSchema } from '../schema.ts';
import { protectedBy } from './beneficiaries.ts';
import { decideAccess } from './decide-access.ts';
import type { RequestsDeps } from './deps.ts';
import { refuseUndecidable } from './refuse-undecidable.ts';
import { requestDigest } from './request-digest.ts';

/** A change that the approvers of a policy decide: of the protection of an entry, or of the policy itself. */
export interface WantedChange {
  readonly kind: 'protection' | 'policy';
  /** Null for the kind `policy`. */
  readonly entryId: string | null;
  readonly entryName: string;
  /** Null for an entry without a resource. */
  readonly resourceId: string | null;
  readonly resourceName: string;
  readonly moduleType: string;
  readonly change: ProtectionChange | PolicyChange;
  /** Hex SHA-256 of the change and the state that it applies to. */
  readonly changeDigest: string;
  readonly reason: string;
}

export interface ChangeRequest {
  readonly id: string;
  /** `pending` or `approved`. */
  readonly status: string;
}

/**
 * The actor's request for exactly this change, pending or with a valid approval; creates one if there is
 * none. Throws the refusals of a request, such as conflict `nobody_can_approve`.
 */
export async function requestChange(
  deps: RequestsDeps,
  context: CallContext,
  wanted: WantedChange,
): Promise<ChangeRequest> {
  const known = await deps.database.readTenant(context.tenantId, (reader) =>
    findRequest(reader, context, wanted),
  );
  return known ?? openRequest(deps, context, wanted);
}

/**
 * The newest request that is pending or has a valid approval: within its duration by the database's clock,
 * and not from before an end of the requester's account or a restore of the database.
 */
function findRequest(
  reader: Reader<WorkflowSchema>,
  context: CallContext,
  { kind, entryId, resourceId, changeDigest }: WantedChange,
): Promise<ChangeRequest | undefined> {
  return reader
    .selectFrom('requests')
    .select(['id', 'status'])
    .where('kind', '=', kind)
    .where((each) =>
      entryId === null ? each('resource_id', '=', resourceId) : each('entry_id', '=', entryId),
    )
    .where('change_digest', '=', changeDigest)
    .where('requester_id', '=', context.actor.userId)
    .where(
      sql<boolean>`(status = 'pending' AND expires_at > clock_timestamp() OR status = 'approved'
        AND decided_at + make_interval(mins => approved_duration_minutes) > clock_timestamp()
        AND NOT EXISTS (SELECT FROM account_standings s WHERE s.tenant_id = requests.tenant_id
          AND s.user_id = requests.requester_id AND s.ended_at >= requests.decided_at)
        AND NOT EXISTS (SELECT FROM restore_epoch r WHERE r.finished_at >= requests.decided_at))`,
    )
    .orderBy('status')
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst();
}

async function openRequest(
  deps: RequestsDeps,
  context: CallContext,
  wanted: WantedChange,
): Promise<ChangeRequest> {
  const { tenantId, actor } = context;
  const { kind, entryId, entryName, resourceId, resourceName, reason, change, changeDigest } = wanted;
  const { maximumGrantMinutes } = (await deps.settings.read(tenantId)).values.access;
  const { decided, terms } = await decideAccess(deps, {
    tenantId,
    requesterId: actor.userId,
    resourceId,
    durationMinutes: 1,
    reason,
    maximumMinutes: maximumGrantMinutes,
  });
  await refuseUndecidable(deps, context, protectedBy(entryId, resourceId), terms.steps);
  // The time in which the approval can be used.
  const durationMinutes = Math.min(terms.maxDurationMinutes, maximumGrantMinutes);
  const digest = requestDigest({
    kind,
    tenantId,
    requesterId: actor.userId,
    entryId: entryId ?? '',
    resourceId: resourceId ?? '',
    reason,
    ticket: '',
    durationMinutes,
    changeDigest,
  });
  return deps.database.withTenant(tenantId, async (tx) => {
    await requireActiveAccount(tx, actor.userId);
    await expireRequests(deps, tx, (query) =>
      query.where('requester_id', '=', actor.userId).where('change_digest', '=', changeDigest),
    );
    const id = randomUUID();
    const row = await tx
      .insertInto('requests')
      .values({
        tenant_id: tenantId,
        id,
        kind,
        requester_id: actor.userId,
        requester_name: actor.userName,
        requester_behind: [...(actor.behind ?? [])],
        entry_id: entryId,
        entry_name: entryName,
        resource_id: resourceId,
        resource_name: resourceName,
        module_type: wanted.moduleType,
        reason,
        ticket: '',
        duration_minutes: durationMinutes,
        digest,
        change: JSON.stringify(change),
        change_digest: changeDigest,
        steps: JSON.stringify(terms.steps),
        one_time: true,
        rotate_on_end: false,
        created_at: sql<Date>`date_trunc('milliseconds', now())`,
        expires_at: sql<Date>`date_trunc('milliseconds', now()) + make_interval(mins => ${terms.requestTtlMinutes})`,
      })
      // Only one pending request for the same change exists.
      .onConflict((conflict) => conflict.doNothing())
      .returning(['id', 'status'])
      .executeTakeFirst();
    // A concurrent call created the same request.
    if (!row) return (await findRequest(tx, context, wanted)) ?? changedMeanwhile();
    await recordEvaluation(tx, {
      tenantId,
      requestId: id,
      label: `${actor.userName} for the ${kind} of ${resourceName || entryName}`,
      decided,
    });
    await deps.emitter.audit(tx, context, {
      action: 'request.created',
      subject: { type: 'request', id, ...(resourceId ? { resourceId } : {}) },
      reason,
      details: {
        kind,
        entryId,
        entryName,
        resourceName,
        change,
        durationMinutes,
        digest,
      },
    });
    return row;
  });
}

function changedMeanwhile(): never {
  throw new ClavigerError('unavailable', 'The request has just been decided.', { retryAfterSeconds: 1 });
}
