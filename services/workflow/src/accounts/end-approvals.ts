import type { Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';

/**
 * Ends the unused approvals of an account for lower protections and policies: an approval given before this
 * moment is no longer valid (see `request-change.ts`). Call it after the account's pending requests have
 * ended, so that no approval in progress follows.
 */
export async function endApprovalsOf(tx: Tx<WorkflowSchema>, userId: string): Promise<void> {
  await tx
    .updateTable('account_standings')
    .set({ ended_at: sql<Date>`clock_timestamp()` })
    .where('user_id', '=', userId)
    .execute();
}
