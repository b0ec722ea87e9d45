import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import { sql } from 'kysely';

/** Each link of such a chain is an account whose person never chose a password. */
const MAX_BEHIND = 16;

/**
 * The people whose account a row of `users` is as well: who is responsible for a machine, who set a password that its person has
 * not changed, and whoever is behind those in turn.
 */
export const peopleBehindUser = sql<string[]>`ARRAY(WITH RECURSIVE behind(id) AS (
    SELECT users.id
    UNION SELECT holder.id FROM behind JOIN users u ON u.tenant_id = users.tenant_id AND u.id = behind.id
      LEFT JOIN credentials c ON c.tenant_id = u.tenant_id AND c.user_id = u.id
      CROSS JOIN LATERAL (VALUES (u.responsible_id), (c.set_by)) AS holder(id) WHERE holder.id IS NOT NULL)
  SELECT behind.id::text FROM behind WHERE behind.id <> users.id ORDER BY 1)`;

/** Who sets passwords for others has not themselves the last of a long chain of passwords that others set: chains stay short. */
export function requireOwnAccount(context: CallContext): void {
  if ((context.actor.behind?.length ?? 0) < MAX_BEHIND) return;
  throw new ClavigerError('denied', 'Choose a password of your own before you set one for somebody else.', {
    code: 'password_not_own',
    hint: 'Use PUT /api/v1/users/me/password.',
  });
}
