import type * as accountStatus from '@claviger/contracts/workflow/v1/account_status';
import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { failpoint, type Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';
import type { AccountsDeps } from './deps.ts';
import { endApprovalsOf } from './end-approvals.ts';
import { endBreakglassOf } from './end-breakglass.ts';
import { endElevationsOf } from './end-elevations.ts';
import { endGrantsOf } from './end-grants.ts';
import { endRequestsOf } from './end-requests.ts';
import { settleAccount } from './settle-account.ts';

/**
 * Stores the status of an account that auth sends. If the account has ended or has another holder, ends its
 * pending requests, unused approvals, grants, elevations and emergency access. A known version ends nothing
 * again. Returns `settled` when the vault has confirmed every end.
 */
export function applyAccountStatus(
  deps: AccountsDeps,
): Handler<typeof accountStatus.AccountStatusService.applyAccountStatus> {
  return async (request, context) => {
    if (!context.hasTenant) throw ClavigerError.invalid('', 'an internal call must name its tenant');
    const { tenantId } = context;
    const userId = request.userId;
    const changedBy = request.changedBy;
    const { version, active } = request;
    await deps.database.withTenant(tenantId, async (tx) => {
      if (!(await store(tx, { tenantId, userId, version, active })) || !request.ends) return;
      const end = { userId, changedBy, cause: request.cause };
      // An approval in progress has either created its grant by now, or finds the request ended.
      await endRequestsOf(deps, tx, end);
      await endApprovalsOf(tx, userId);
      await endGrantsOf(deps, tx, end);
      await endElevationsOf(deps, tx, end);
      await endBreakglassOf(deps, tx, end);
    });
    await failpoint('workflow.account.after_end');
    return { settled: await settleAccount(deps, tenantId, userId, context.requestId) };
  };
}

/**
 * Waits for transactions that start something for the account, so that the end includes it. Returns false for
 * a version that is not newer than the stored one.
 */
async function store(
  tx: Tx<WorkflowSchema>,
  next: { tenantId: string; userId: string; version: number; active: boolean },
): Promise<boolean> {
  const { tenantId, userId, version, active } = next;
  await sql`SELECT pg_advisory_xact_lock(account_lock_key(${userId}::uuid))`.execute(tx);
  const row = await tx
    .insertInto('account_standings')
    .values({ tenant_id: tenantId, user_id: userId, version, active })
    .onConflict((conflict) =>
      conflict
        .columns(['tenant_id', 'user_id'])
        .doUpdateSet({ version, active, changed_at: sql<Date>`clock_timestamp()` })
        .where('account_standings.version', '<', version),
    )
    .returning('version')
    .executeTakeFirst();
  return row !== undefined;
}
