import { rowMapper } from '@claviger/contracts';
import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Reader, Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { AuthSchema, UserKind, UserStatus } from '../schema.ts';
import { MAX_FAILURES } from '../sign-in/lockout.ts';
import { rolesOfUser } from './roles-of-user.ts';

const heldBy = sql<string | null>`(SELECT c.set_by FROM credentials c
  WHERE c.tenant_id = users.tenant_id AND c.user_id = users.id)`;

/** Users that are not deleted, with the columns that the API shows. */
export function usersQuery(reader: Reader<AuthSchema>) {
  return reader
    .selectFrom('users')
    .select([
      'users.id',
      'users.username',
      'users.display_name',
      'users.email',
      'users.status',
      'users.kind',
      'users.last_login_at',
      'users.created_at',
      'users.updated_at',
      'users.row_version',
      'users.responsible_id',
      heldBy.as('held_by'),
      rolesOfUser.as('roles'),
      sql<boolean>`EXISTS (SELECT FROM mfa_factors f WHERE f.tenant_id = users.tenant_id AND f.user_id = users.id
        AND f.confirmed_at IS NOT NULL)`.as('mfa_enabled'),
      sql<boolean>`EXISTS (SELECT FROM login_failures l WHERE l.tenant_id = users.tenant_id
        AND l.subject = users.id::text AND l.locked_until > now() AND l.failures >= ${MAX_FAILURES})`.as(
        'locked',
      ),
    ])
    .where('users.deleted_at', 'is', null);
}

export interface UserRow {
  id: string;
  username: string;
  display_name: string;
  email: string;
  status: UserStatus;
  kind: UserKind;
  last_login_at: Date | null;
  created_at: Date;
  updated_at: Date;
  row_version: number;
  roles: string[];
  mfa_enabled: boolean;
  locked: boolean;
  responsible_id: string | null;
  held_by: string | null;
}

export const userMessage: (row: UserRow) => auth.User = rowMapper<auth.User>('claviger.auth.v1.User');

/** Throws `not_found` for an unknown or deleted user or one of another tenant. */
export async function readUser(reader: Reader<AuthSchema>, userId: string): Promise<auth.User> {
  const row = await usersQuery(reader).where('users.id', '=', userId).executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  return userMessage(row);
}

export interface LockedUser {
  readonly id: string;
  readonly username: string;
  readonly kind: UserKind;
  readonly status: UserStatus;
  readonly rowVersion: number;
  readonly epoch: number;
  /** The responsible person of a machine identity. */
  readonly responsibleId: string | undefined;
}

/** Locks the user until the transaction ends. Throws `not_found`. */
export async function lockUser(tx: Tx<AuthSchema>, userId: string): Promise<LockedUser> {
  const row = await tx
    .selectFrom('users')
    .select(['id', 'username', 'kind', 'status', 'row_version', 'epoch', 'responsible_id'])
    .where('id', '=', userId)
    .where('deleted_at', 'is', null)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  return {
    id: row.id,
    username: row.username,
    kind: row.kind,
    status: row.status,
    rowVersion: row.row_version,
    epoch: row.epoch,
    responsibleId: row.responsible_id ?? undefined,
  };
}
