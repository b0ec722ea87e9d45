import { anyOf, type Reader, type Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { AuthSchema, FailureKind } from '../schema.ts';
import { PLACE_DAYS } from './places.ts';

/**
 * Failed attempts until a lock, counted over all replicas and challenges; the same time without failures
 * resets the count.
 */
export const MAX_FAILURES = 5;
export const WINDOW_MINUTES = 15;
const window = sql.raw(`interval '${WINDOW_MINUTES} minutes'`);

/** The place of the row that counts all unknown places together. */
const UNKNOWN_PLACES = '';
/** The id of no row, so that an unknown user causes the same statement. */
export const NIL_ID = '00000000-0000-0000-0000-000000000000';

/** An attempt with a password or a code for an account, from a place. */
export interface Attempt {
  readonly tenantId: string;
  readonly kind: FailureKind;
  /** Id of the user, or the hash of an unknown name. */
  readonly subject: string;
  /** Absent for an unknown name. */
  readonly userId?: string | undefined;
  readonly place: string;
}

export interface LockStatus {
  /** Seconds until the place may try again, also with the right password. */
  readonly waitSeconds: number;
  /**
   * Seconds for which the account is locked for this place, because of failures elsewhere; 0 for a known
   * place.
   */
  readonly lockedSeconds: number;
}

/** Returns the lock status of an account for a place, with the same single query for every name. */
export async function readLockStatus(reader: Reader<AuthSchema>, attempt: Attempt): Promise<LockStatus> {
  const { kind, subject, userId = NIL_ID, place } = attempt;
  const restAt = (at: string) => sql`coalesce((
    SELECT ceil(extract(epoch FROM f.locked_until - clock_timestamp())) FROM login_failures f
    WHERE f.kind = ${kind} AND f.subject = ${subject} AND f.place = ${at}
    AND f.locked_until > clock_timestamp()), 0)::int`;
  const { rows } = await sql<{ wait: number; locked: number; known: boolean }>`
    SELECT ${restAt(place)} AS wait, ${restAt(UNKNOWN_PLACES)} AS locked, ${isKnown(userId, place)} AS known`.execute(
    reader,
  );
  const { wait, locked, known } = rows[0]!;
  return { waitSeconds: wait, lockedSeconds: known ? 0 : locked };
}

const isKnown = (userId: string, place: string) => sql<boolean>`EXISTS (SELECT FROM sign_in_places p
  WHERE p.user_id = ${userId} AND p.place = ${place}
  AND p.last_at > now() - make_interval(days => ${PLACE_DAYS}::int))`;

/**
 * Counts a failed attempt for its place and, unless the place is known, for all unknown places together.
 * Throws `rate_limited` and counts nothing if the place has to wait now. Concurrent attempts thus gain
 * nothing over successive ones, and attempts during a wait do not extend it.
 */
export async function countFailure(tx: Tx<AuthSchema>, attempt: Attempt): Promise<{ locked: boolean }> {
  const { tenantId, kind, subject, userId = NIL_ID, place } = attempt;
  // A recovery code cannot be guessed, so wrong ones do not lock the account elsewhere.
  const countsElsewhere = kind === 'password' || kind === 'mfa';
  const grows = kind === 'password' || kind === 'recovery';
  const { rows } = await sql<{ counted: boolean; locked: boolean }>`
    WITH here AS (
      INSERT INTO login_failures AS f (tenant_id, kind, subject, place, failures, last_failed_at)
      VALUES (${tenantId}, ${kind}, ${subject}, ${place}, 1, now())
      ${counting(grows)}
      RETURNING failures),
    elsewhere AS (
      INSERT INTO login_failures AS f (tenant_id, kind, subject, place, failures, last_failed_at)
      SELECT ${tenantId}::uuid, ${kind}, ${subject}, ${UNKNOWN_PLACES}, 1, now() FROM here
      WHERE ${countsElsewhere}::boolean AND NOT ${isKnown(userId, place)}
      ${counting(false)}
      RETURNING failures)
    SELECT EXISTS (SELECT FROM here) AS counted,
      EXISTS (SELECT FROM here WHERE failures >= ${MAX_FAILURES}
        UNION ALL SELECT FROM elsewhere WHERE failures >= ${MAX_FAILURES}) AS locked`.execute(tx);
  const { counted, locked } = rows[0]!;
  if (!counted) throw mustWait((await readLockStatus(tx, attempt)).waitSeconds);
  return { locked };
}

const failures = sql`CASE WHEN f.failures >= ${MAX_FAILURES} OR f.last_failed_at < now() - ${window}
  THEN 1 ELSE f.failures + 1 END`;

/**
 * From the second failure the place waits 1, 2, 4 seconds if `grows`; from the fifth it waits
 * `WINDOW_MINUTES`.
 */
const counting = (grows: boolean) => sql`
  ON CONFLICT (tenant_id, kind, subject, place) DO UPDATE SET
    failures = ${failures},
    last_failed_at = now(),
    locked_until = CASE
      WHEN ${failures} >= ${MAX_FAILURES} THEN now() + ${window}
      WHEN ${grows}::boolean AND ${failures} > 1 THEN now() + make_interval(secs => 2 ^ (${failures} - 2)) END
  WHERE f.locked_until IS NULL OR f.locked_until <= now()`;

/** Deletes the failure counts of an account, for one place or for all. */
export async function clearFailures(
  tx: Tx<AuthSchema>,
  subject: string,
  kinds: readonly FailureKind[],
  place?: string,
): Promise<void> {
  // Lock in the order of countFailure, the row of unknown places last, to prevent a deadlock.
  await tx
    .selectFrom('login_failures')
    .select('place')
    .where('subject', '=', subject)
    .where('kind', '=', anyOf(kinds, 'text'))
    .$if(place !== undefined, (query) => query.where('place', '=', place!))
    .orderBy('place', 'desc')
    .forUpdate()
    .execute();
  await tx
    .deleteFrom('login_failures')
    .where('subject', '=', subject)
    .where('kind', '=', anyOf(kinds, 'text'))
    .$if(place !== undefined, (query) => query.where('place', '=', place!))
    .execute();
}

/**
 * The error for a place that has to wait. It reveals nothing about the account: unknown names wait as long.
 */
export function mustWait(seconds: number): ClavigerError {
  const retryAfterSeconds = Math.max(1, seconds);
  return new ClavigerError('rate_limited', 'There were failed attempts for this account from your address.', {
    code: 'sign_in_slowed',
    retryAfterSeconds,
    hint: `Try again in ${retryAfterSeconds} seconds; attempts before that do not extend the wait.`,
  });
}
