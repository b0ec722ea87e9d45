import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';

/**
 * For whatever an account begins, in the transaction that writes it: throws conflict `account_ended` where auth has told that the
 * account has ended. The end of an account waits until the transaction is over, and then ends what it wrote.
 */
export async function requireLivingAccount(tx: Tx<WorkflowSchema>, userId: string): Promise<void> {
  const { rows } = await sql<{
    state: string;
  }>`SELECT account_state(current_tenant(), ${userId}::uuid) AS state`.execute(tx);
  switch (rows[0]!.state) {
    case 'active':
      return;
    case 'ended':
      throw new ClavigerError('conflict', 'The account has ended.', {
        code: 'account_ended',
        hint: 'An administrator enables it, or takes the machine over.',
      });
    default:
      throw new ClavigerError('unavailable', 'The account is being changed.', { retryAfterSeconds: 1 });
  }
}
