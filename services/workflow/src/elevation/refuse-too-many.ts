import { serialized, type Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';

/** More than people decide in a day; a device that is possessed reports that many in a minute. */
const MAX_WAITING = 500;
/** A person may decide one at any time: whoever was refused asks again so soon, though none of them expires before. */
const LONGEST_REST_SECONDS = 60;

/**
 * Throws `rate_limited` where so much of who asks waits for a person already: a request for nobody's eyes only hides the others.
 * `askerId`: the device that reported a prompt, else who asked. Of several at once each counts those before it.
 */
export async function refuseTooMany(tx: Tx<WorkflowSchema>, askerId: string): Promise<void> {
  await serialized(tx, `waiting-elevations ${askerId}`);
  // Written out as in the partial index.
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
    hint: 'Have those that wait decided first; they expire, too.',
  });
}
