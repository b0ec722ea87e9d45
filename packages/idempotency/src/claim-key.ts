import { sqlState, type Tx } from '@claviger/database';
import type { CallContext } from '@claviger/service-kit';
import { sql } from 'kysely';
import { inProgress } from './refusals.ts';

/** Another call with this key waits for this row up to the connection's lock time-out. */
const LOCK_TIMEOUT = '55P03';

/**
 * Stores the call's key with the effect of this transaction; no effect for a call without one. Throws
 * `request_in_progress` when another call has the key: this effect is rolled back and the pipeline returns
 * the other answer. A call with several transactions stores its own key again.
 */
export async function claimKey<DB>(
  tx: Tx<DB>,
  context: CallContext,
  subject: { readonly type: string; readonly id: string } | undefined,
): Promise<void> {
  const call = context.idempotentCall;
  // An event of another tenant is written in that tenant's transaction, which cannot see this caller's row.
  if (!call || (context.auditTenantId !== undefined && context.auditTenantId !== context.tenantId)) return;
  const claim = sql<{ claim_id: string }>`
    INSERT INTO idempotency_keys AS held (tenant_id, actor_id, key_digest, claim_id, method, request_digest,
      subject_type, subject_id, keeps_answer)
    VALUES (${context.tenantId}, ${call.actorId}, ${call.keyDigest}, ${call.claimId}, ${context.method.path},
      ${call.requestDigest}, ${subject?.type ?? ''}, ${subject?.id ?? ''}, ${call.keepsAnswer})
    ON CONFLICT (tenant_id, actor_id, key_digest) DO UPDATE SET
      claim_id = excluded.claim_id, method = excluded.method, request_digest = excluded.request_digest,
      subject_type = excluded.subject_type, subject_id = excluded.subject_id,
      keeps_answer = excluded.keeps_answer, answer = NULL, created_at = excluded.created_at
    WHERE held.claim_id = excluded.claim_id OR held.created_at < now() - interval '24 hours'
    RETURNING claim_id`;
  let taken: number;
  try {
    taken = (await claim.execute(tx)).rows.length;
  } catch (error) {
    if (sqlState(error) === LOCK_TIMEOUT) throw inProgress(error);
    throw error;
  }
  if (taken === 0) throw inProgress();
}
