import type { Reader, Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';

/**
 * Delay before the first delivery by the duty, because the operation that changed the account delivers first.
 */
const FIRST_TRY_SECONDS = 5;

export interface AccountChange {
  readonly userId: string;
  /** Whether the requests, grants, elevations and emergency access of the account must end. */
  readonly ends: boolean;
  readonly cause: string;
  readonly changedBy: string;
}

/**
 * Queues the new status of a user's account, and of the machine identities that the user is responsible for,
 * for delivery to workflow.
 */
export async function queueAccountStatus(tx: Tx<AuthSchema>, change: AccountChange): Promise<void> {
  const { userId, ends, cause, changedBy } = change;
  await sql`INSERT INTO account_standings AS known
      (tenant_id, user_id, active, ends, cause, changed_by, next_try_at)
    SELECT u.tenant_id, u.id,
      u.status = 'active' AND u.deleted_at IS NULL
        AND (u.kind = 'person' OR (r.status = 'active' AND r.deleted_at IS NULL) IS TRUE),
      ${ends}, ${cause}, ${changedBy}::uuid, now() + make_interval(secs => ${FIRST_TRY_SECONDS})
    FROM users u LEFT JOIN users r ON r.tenant_id = u.tenant_id AND r.id = u.responsible_id
    WHERE u.id = ${userId}::uuid OR (u.responsible_id = ${userId}::uuid AND u.deleted_at IS NULL)
    ON CONFLICT (tenant_id, user_id) DO UPDATE SET wanted_version = known.wanted_version + 1,
      active = excluded.active, ends = known.ends OR excluded.ends, cause = excluded.cause,
      changed_by = excluded.changed_by, attempts = 0, next_try_at = excluded.next_try_at`.execute(tx);
}

/**
 * Throws `unavailable` until workflow has ended everything that the account and the machine identities of its
 * user held. An account is enabled again only after that.
 */
export async function requireAccountEnded(reader: Reader<AuthSchema>, userId: string): Promise<void> {
  const pending = await reader
    .selectFrom('account_standings')
    .select('user_id')
    .where('ends', '=', true)
    .where(rowsOfAccount(userId))
    .limit(1)
    .executeTakeFirst();
  if (!pending) return;
  throw new ClavigerError(
    'unavailable',
    'The former requests and grants of this account have not ended everywhere yet.',
    {
      code: 'account_ending_pending',
      hint: 'This is repeated automatically. Try again in a moment.',
      retryAfterSeconds: 2,
    },
  );
}

/** Rows of a user and of the machine identities that the user is responsible for. */
export const rowsOfAccount = (userId: string) =>
  sql<boolean>`(account_standings.user_id = ${userId}::uuid OR EXISTS (SELECT FROM users machine
    WHERE machine.tenant_id = account_standings.tenant_id AND machine.id = account_standings.user_id
      AND machine.responsible_id = ${userId}::uuid))`;
