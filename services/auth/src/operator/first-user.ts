import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { canonicalLogin, shownLogin } from '../passwords/canonical-login.ts';
import { storePassword } from '../passwords/credentials-store.ts';
import { ADMINISTRATOR } from '../roles/built-in-roles.ts';
import { rolesByName, setRoles } from '../roles/roles-store.ts';
import type { AuthSchema } from '../schema.ts';
import type { OperatorDeps } from './deps.ts';

/** Whether the tenant has or ever had a user. */
export async function hasUser(tx: Tx<AuthSchema>): Promise<boolean> {
  return (await tx.selectFrom('users').select('id').limit(1).executeTakeFirst()) !== undefined;
}

/**
 * Locks the tenant's row, so that one of several concurrent callers creates the first user. Throws
 * `conflict`.
 */
export async function requireNoUser(tx: Tx<AuthSchema>, tenantId: string): Promise<void> {
  await tx.selectFrom('tenants').select('id').where('id', '=', tenantId).forNoKeyUpdate().execute();
  if (await hasUser(tx)) throw tenantHasUser();
}

export async function createFirstAdministrator(
  tx: Tx<AuthSchema>,
  tenantId: string,
  input: { username: string; displayName: string; email: string; phc: string },
): Promise<string> {
  const { id } = await tx
    .insertInto('users')
    .values({
      tenant_id: tenantId,
      username: shownLogin(input.username),
      canonical_login: canonicalLogin(input.username),
      display_name: input.displayName,
      email: input.email,
      kind: 'person',
      responsible_id: null,
      last_login_at: null,
      deleted_at: null,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await setRoles(tx, tenantId, id, await rolesByName(tx, [ADMINISTRATOR]));
  await storePassword(tx, { tenantId, userId: id, phc: input.phc, setBy: null });
  return id;
}

export function tenantHasUser(): ClavigerError {
  return new ClavigerError('conflict', 'The tenant already has a user.', {
    code: 'already_set_up',
    hint: 'Sign in as an administrator and create users there.',
  });
}

/** Refuses before a costly hash; the check under the lock is authoritative. */
export async function refuseEarly(deps: OperatorDeps, tenantId: string): Promise<void> {
  if (await deps.database.withTenant(tenantId, hasUser)) throw tenantHasUser();
}
