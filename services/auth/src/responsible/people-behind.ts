import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import { sql } from 'kysely';

/** Maximum length of a chain in which each account has a password that its user has not chosen. */
const MAX_BEHIND = 16;

/**
 * The people to whom a row of `users` also belongs: the person responsible for a machine identity, the user
 * who set an unchanged password, and the people behind those, recursively.
 */
export const peopleBehindUser = sql<string[]>`ARRAY(WITH RECURSIVE behind(id) AS (
    SELECT users.id
    UNION SELECT holder.id FROM behind JOIN users u ON u.tenant_id = users.tenant_id AND u.id = behind.id
      LEFT JOIN credentials c ON c.tenant_id = u.tenant_id AND c.user_id = u.id
      CROSS JOIN LATERAL (VALUES (u.responsible_id), (c.set_by)) AS holder(id) WHERE holder.id IS NOT NULL)
  SELECT behind.id::text FROM behind WHERE behind.id <> users.id ORDER BY 1)`;

/**
 * Throws `denied` if the actor is at the end of a chain of passwords set by others. This limits the length of
 * chains.
 */
export function requireOwnAccount(context: CallContext): void {
  if ((context.actor.behind?.length ?? 0) < MAX_BEHIND) return;
  throw new ClavigerError('denied', 'Change your own password before you set one for another user.', {
    code: 'password_not_own',
    hint: 'Use PUT /api/v1/users/me/password.',
  });
}
