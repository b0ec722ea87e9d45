import { anyOf, type Reader, type Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { AuthSchema, FailureKind } from '../schema.ts';
import { PLACE_DAYS } from './places.ts';

/** Wrong tries until the lock, for the same time of quiet, over all nodes and challenges. */
export const MAX_FAILURES = 5;
export const WINDOW_MINUTES = 15;
const window = sql.raw(`interval '${WINDOW_MINUTES} minutes'`);

/** The row that counts all places together from which the account did not sign in. */
const ELSEWHERE = '';
/** An id that nobody has, so that a query about nobody is the same query. */
export const NOBODY = '00000000-0000-0000-0000-000000000000';

/** A try to prove something for an account, from a place. */
export interface Attempt {
  readonly tenantId: string;
  readonly kind: FailureKind;
  /** Id of the user, or the hash of a name that nobody has. */
  readonly subject: string;
  /** Absent for a name that nobody has. */
  readonly userId?: string | undefined;
  readonly place: string;
}

export interface Standing {
  /** The place has to wait for so long, whatever it shows. */
  readonly waitSeconds: number;
  /** The account is locked for this place for so long: others failed elsewhere, and it did not sign in from here before. */
  readonly lockedSeconds: number;
}

/** How the account stands for a place. One query with the same work for every name. */
export async function standingOfAttempt(reader: Reader<AuthSchema>, attempt: Attempt): Promise<Standing> {
  const { kind, subject, userId = NOBODY, place } = attempt;
  const restAt = (at: string) => sql`coalesce((
    SELECT ceil(extract(epoch FROM f.locked_until - clock_timestamp())) FROM login_failures f
    WHERE f.kind = ${kind} AND f.subject = ${subject} AND f.place = ${at}
    AND f.locked_until > clock_timestamp()), 0)::int`;
  const { rows } = await sql<{ wait: number; locked: number; known: boolean }>`
    SELECT ${restAt(place)} AS wait, ${restAt(ELSEWHERE)} AS locked, ${isKnown(userId, place)} AS known`.execute(
    reader,
  );
  const { wait, locked, known } = rows[0]!;
  return { waitSeconds: wait, lockedSeconds: known ? 0 : locked };
}

const isKnown = (userId: string, place: string) => sql<boolean>`EXISTS (SELECT FROM sign_in_places p
  WHERE p.user_id = ${userId} AND p.place = ${place}
  AND p.last_at > now() - make_interval(days => ${PLACE_DAYS}::int))`;

/**
 * Counts a failed try, for its place, and for all unknown places together unless the account signed in from this one
 * before. Throws `rate_limited` when the place has to wait by now: of tries at the same moment only as many count, and
 * are told what they were, as could have come one after the other. Waiting is never extended by tries made meanwhile.
 */
export async function countFailure(tx: Tx<AuthSchema>, attempt: Attempt): Promise<{ locked: boolean }> {
  const { tenantId, kind, subject, userId = NOBODY, place } = attempt;
  // A recovery code cannot be guessed: tries with one lock nobody out elsewhere.
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
      SELECT ${tenantId}::uuid, ${kind}, ${subject}, ${ELSEWHERE}, 1, now() FROM here
      WHERE ${countsElsewhere}::boolean AND NOT ${isKnown(userId, place)}
      ${counting(false)}
      RETURNING failures)
    SELECT EXISTS (SELECT FROM here) AS counted,
      EXISTS (SELECT FROM here WHERE failures >= ${MAX_FAILURES}
        UNION ALL SELECT FROM elsewhere WHERE failures >= ${MAX_FAILURES}) AS locked`.execute(tx);
  const { counted, locked } = rows[0]!;
  if (!counted) throw mustWait((await standingOfAttempt(tx, attempt)).waitSeconds);
  return { locked };
}

const failures = sql`CASE WHEN f.failures >= ${MAX_FAILURES} OR f.last_failed_at < now() - ${window}
  THEN 1 ELSE f.failures + 1 END`;

/** From the second failure on the place waits 1, 2, 4 seconds where the wait grows; from the fifth on a quarter of an hour. */
const counting = (grows: boolean) => sql`
  ON CONFLICT (tenant_id, kind, subject, place) DO UPDATE SET
    failures = ${failures},
    last_failed_at = now(),
    locked_until = CASE
      WHEN ${failures} >= ${MAX_FAILURES} THEN now() + ${window}
      WHEN ${grows}::boolean AND ${failures} > 1 THEN now() + make_interval(secs => 2 ^ (${failures} - 2)) END
  WHERE f.locked_until IS NULL OR f.locked_until <= now()`;

/** Takes back what was counted of an account: from one place, or from all. */
export async function clearFailures(
  tx: Tx<AuthSchema>,
  subject: string,
  kinds: readonly FailureKind[],
  place?: string,
): Promise<void> {
  // In the order of countFailure, the row for all unknown places last: else the two could wait for each other.
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

/** Says nothing about the account: whoever tries names that nobody has waits as long. */
export function mustWait(seconds: number): ClavigerError {
  const retryAfterSeconds = Math.max(1, seconds);
  return new ClavigerError('rate_limited', 'There were wrong tries for this account from your address.', {
    code: 'sign_in_slowed',
    retryAfterSeconds,
    hint: `Try again in ${retryAfterSeconds} seconds; wrong tries meanwhile do not make it longer.`,
  });
}
