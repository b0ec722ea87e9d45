import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';

/**
 * Call it in each transaction that starts something for an account. Throws conflict `account_ended` if auth
 * has reported its end. The end of an account waits for the transaction to commit, and then ends what it
 * wrote.
 */
export async function requireActiveAccount(tx: Tx<WorkflowSchema>, userId: string): Promise<void> {
  const { rows } = await sql<{
    state: string;
  }>`SELECT account_state(current_tenant(), ${userId}::uuid) AS state`.execute(tx);
  switch (rows[0]!.state) {
    case 'active':
      return;
    case 'ended':
      throw new ClavigerError('conflict', 'The account has ended.', {
        code: 'account_ended',
        hint: 'Ask an administrator to enable it, or to take over the machine identity.',
      });
    default:
      throw new ClavigerError('unavailable', 'The account is being changed.', { retryAfterSeconds: 1 });
  }
}
