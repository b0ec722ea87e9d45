import type { Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';

/**
 * Ends the approvals that an account has and did not use, of lower protections and policies: those of before
 * this moment hold no longer (see `request-change.ts`). After the account's open requests have ended, so that
 * no approval under way comes later.
 */
export async function endApprovalsOf(tx: Tx<WorkflowSchema>, userId: string): Promise<void> {
  await tx
    .updateTable('account_standings')
    .set({ ended_at: sql<Date>`clock_timestamp()` })
    .where('user_id', '=', userId)
    .execute();
}
