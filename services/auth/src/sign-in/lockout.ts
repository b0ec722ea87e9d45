import type { Reader, Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { AuthSchema, FailureKind } from '../schema.ts';

/** Wrong tries until the lock, for the same time of quiet, over all addresses, nodes and challenges. */
export const MAX_FAILURES = 5;
export const WINDOW_MINUTES = 15;
const window = sql.raw(`interval '${WINDOW_MINUTES} minutes'`);

const isLocked = sql<boolean>`locked_until IS NOT NULL AND locked_until > now()`;

/** `subject` is the id of the user, or the hash of a name that nobody has. */
export async function lockedNow(
  reader: Reader<AuthSchema>,
  kind: FailureKind,
  subject: string,
): Promise<boolean> {
  const row = await reader
    .selectFrom('login_failures')
    .select(isLocked.as('locked'))
    .where('kind', '=', kind)
    .where('subject', '=', subject)
    .executeTakeFirst();
  return row?.locked ?? false;
}

/**
 * Counts a wrong try; answers whether the subject is locked now. A lock is never extended by tries made while it lasts,
 * else an attacker could keep somebody out for ever.
 */
export async function countFailure(
  tx: Tx<AuthSchema>,
  tenantId: string,
  kind: FailureKind,
  subject: string,
): Promise<boolean> {
  const failures = sql<number>`CASE
    WHEN login_failures.locked_until IS NOT NULL OR login_failures.last_failed_at < now() - ${window} THEN 1
    ELSE login_failures.failures + 1 END`;
  const counted = await tx
    .insertInto('login_failures')
    .values({
      tenant_id: tenantId,
      kind,
      subject,
      failures: 1,
      last_failed_at: sql`now()`,
      locked_until: null,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['tenant_id', 'kind', 'subject'])
        .doUpdateSet({
          failures,
          last_failed_at: sql`now()`,
          locked_until: sql`CASE WHEN ${failures} >= ${MAX_FAILURES} THEN now() + ${window} END`,
        })
        .where(sql<boolean>`login_failures.locked_until IS NULL OR login_failures.locked_until <= now()`),
    )
    .returning(isLocked.as('locked'))
    .executeTakeFirst();
  return counted?.locked ?? true;
}

export async function clearFailures(
  tx: Tx<AuthSchema>,
  kind: FailureKind,
  subject: string,
): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('login_failures')
    .where('kind', '=', kind)
    .where('subject', '=', subject)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}
