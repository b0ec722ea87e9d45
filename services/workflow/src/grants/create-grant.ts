import { randomUUID } from 'node:crypto';
import { requireActiveTenant, type Tx } from '@claviger/database';
import type { CallContext } from '@claviger/service-kit';
import { sql } from 'kysely';
import { requireActiveAccount } from '../accounts/require-active-account.ts';
import { askedAccess, givenAccess } from '../asked/asked-access.ts';
import { beyondAsked } from '../asked/beyond-asked.ts';
import type { GrantRow, RequestRow, WorkflowSchema } from '../schema.ts';
import type { GrantsDeps } from './deps.ts';

/** The approving call makes the first attempt; the due queue follows after this time. */
const FIRST_TRY_SECONDS = 5;

/** Creates the grant of an approved request in the transaction of the last approval. Its time starts now. */
export async function createGrant(
  deps: Pick<GrantsDeps, 'emitter'>,
  tx: Tx<WorkflowSchema>,
  context: CallContext,
  request: RequestRow,
): Promise<GrantRow> {
  await requireActiveTenant(tx);
  await requireActiveAccount(tx, request.requester_id);
  const minutes = request.approved_duration_minutes ?? request.duration_minutes;
  // One instant for the whole statement. now() would be the time before the wait for the request's lock.
  const start = sql<Date>`date_trunc('milliseconds', statement_timestamp())`;
  const grant = await tx
    .insertInto('grants')
    .values({
      tenant_id: request.tenant_id,
      id: randomUUID(),
      request_id: request.id,
      user_id: request.requester_id,
      user_name: request.requester_name,
      entry_id: request.entry_id!,
      entry_name: request.entry_name,
      resource_id: request.resource_id,
      resource_name: request.resource_name,
      module_type: request.module_type,
      one_time: request.one_time,
      rotate_on_end: request.rotate_on_end,
      starts_at: start,
      expires_at: sql<Date>`${start} + make_interval(mins => ${minutes})`,
      sync_wanted: 'place',
      next_sync_at: sql<Date>`statement_timestamp() + make_interval(secs => ${FIRST_TRY_SECONDS})`,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const beyond = beyondAsked(askedAccess(request), givenAccess(grant));
  if (beyond) throw new Error(`The grant would exceed request ${request.id}: ${beyond}.`);
  await deps.emitter.auditDuty(tx, {
    tenantId: grant.tenant_id,
    action: 'grant.created',
    outcome: 'allowed',
    subjectType: 'grant',
    subjectId: grant.id,
    resourceId: grant.resource_id ?? '',
    requestId: context.requestId,
    reason: request.reason,
    details: {
      accessRequestId: request.id,
      userId: grant.user_id,
      userName: grant.user_name,
      entryId: grant.entry_id,
      durationMinutes: minutes,
      oneTime: grant.one_time,
      rotateOnEnd: grant.rotate_on_end,
      startsAt: grant.starts_at.toISOString(),
      expiresAt: grant.expires_at.toISOString(),
    },
  });
  return grant;
}
