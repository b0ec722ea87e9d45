import { serialized, type Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';

/** More than people can decide in a day; a compromised device can report as many in a minute. */
const MAX_WAITING = 500;
/**
 * A person can decide a request at any time, so the caller may retry after this time, before any request
 * expires.
 */
const LONGEST_REST_SECONDS = 60;

/**
 * Throws `rate_limited` if the requester already has too many waiting requests, because further ones would
 * hide those of others. `askerId`: the device that reported a prompt, else the requester. Concurrent calls
 * are serialized, so that each counts the earlier ones.
 */
export async function refuseTooMany(tx: Tx<WorkflowSchema>, askerId: string): Promise<void> {
  await serialized(tx, `waiting-elevations ${askerId}`);
  // A literal status, as in the partial index.
  const { rows } = await sql<{ waiting: number; rest: number }>`
    SELECT count(*)::int AS waiting, greatest(1, least(${LONGEST_REST_SECONDS}::int,
      ceil(extract(epoch FROM min(expires_at) - clock_timestamp()))))::int AS rest
    FROM (SELECT expires_at FROM elevation_requests
      WHERE status = 'pending' AND coalesce(requester_id, device_id) = ${askerId}::uuid
      AND expires_at > now() LIMIT ${MAX_WAITING}) AS theirs`.execute(tx);
  const { waiting, rest } = rows[0]!;
  if (waiting < MAX_WAITING) return;
  throw new ClavigerError('rate_limited', 'Too many requests of the same device or user wait for a person.', {
    code: 'too_many_waiting',
    retryAfterSeconds: rest,
    hint: 'Have the waiting requests decided first, or wait until they expire.',
  });
}
