import { randomUUID } from 'node:crypto';
import type { Tx } from '@claviger/database';
import type { CallContext } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';
import { offlineCodeHash } from './offline-code.ts';

const WRONG_CODES = 5;
const WINDOW_MINUTES = 15;
const window = sql`make_interval(mins => ${WINDOW_MINUTES})`;
const windowStart = sql<Date>`clock_timestamp() - ${window}`;

/**
 * Uses up an offline code for the actor, once. A wrong code is counted: the caller must commit the
 * transaction before it throws. The caller must also serialize the activations of a person.
 */
export async function useOfflineCode(
  tx: Tx<WorkflowSchema>,
  context: CallContext,
  code: string,
): Promise<{ readonly codeId: string } | 'wrong' | { readonly lockedSeconds: number }> {
  const { tenantId, actor } = context;
  // The lock ends when the fifth newest wrong code leaves the window.
  const fifth = await tx
    .selectFrom('breakglass_wrong_codes')
    .select(sql<number>`ceil(extract(epoch FROM given_at + ${window} - clock_timestamp()))::int`.as('rest'))
    .where('user_id', '=', actor.userId)
    .where('given_at', '>', windowStart)
    .orderBy('given_at', 'desc')
    .offset(WRONG_CODES - 1)
    .limit(1)
    .executeTakeFirst();
  if (fifth) return { lockedSeconds: Math.max(1, fifth.rest) };
  const used = await tx
    .updateTable('breakglass_codes')
    .set({ used_at: sql<Date>`clock_timestamp()`, used_by: actor.userId })
    .where('code_hash', '=', offlineCodeHash(tenantId, code))
    .where('used_at', 'is', null)
    .where('withdrawn_at', 'is', null)
    .returning('id')
    .executeTakeFirst();
  if (used) return { codeId: used.id };
  await tx
    .deleteFrom('breakglass_wrong_codes')
    .where('user_id', '=', actor.userId)
    .where('given_at', '<=', windowStart)
    .execute();
  await tx
    .insertInto('breakglass_wrong_codes')
    .values({ tenant_id: tenantId, id: randomUUID(), user_id: actor.userId })
    .execute();
  return 'wrong';
}
