import type * as authEvidence from '@claviger/contracts/auth/v1/evidence';
import { keysetCursor, parseKeysetCursor } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { EvidenceDeps } from './deps.ts';
import { PAGE_SIZE } from './page-size.ts';

interface AccountRow {
  id: string;
  username: string;
  kind: string;
  status: string;
  roles: string[];
  permissions: string[];
  second_factor: boolean;
  created_at: Date;
  last_login_at: Date | null;
}

/** Lists users with their current roles. Deleted users are included because events name them. */
export function listAccountEvidence(
  deps: Pick<EvidenceDeps, 'database'>,
): Handler<typeof authEvidence.EvidenceService.listAccountEvidence> {
  return async (request, context) => {
    const after = parseKeysetCursor(request.cursor, 1);
    const from = after ? sql`users.id > ${after[0]}::uuid` : sql`true`;
    const { rows } = await deps.database.readTenant(context.tenantId, (reader) =>
      sql<AccountRow>`
        SELECT users.id, users.username, users.kind, users.created_at, users.last_login_at,
          CASE WHEN users.deleted_at IS NULL THEN users.status ELSE 'deleted' END AS status,
          ARRAY(SELECT roles.name FROM user_roles JOIN roles ON roles.id = user_roles.role_id
            WHERE user_roles.user_id = users.id ORDER BY roles.name) AS roles,
          ARRAY(SELECT DISTINCT unnest(roles.permissions) FROM user_roles JOIN roles ON roles.id = user_roles.role_id
            WHERE user_roles.user_id = users.id ORDER BY 1) AS permissions,
          EXISTS (SELECT FROM mfa_factors WHERE mfa_factors.user_id = users.id
            AND mfa_factors.confirmed_at IS NOT NULL) AS second_factor
        FROM users WHERE ${from} ORDER BY users.id LIMIT ${PAGE_SIZE}`.execute(reader),
    );
    const last = rows.length < PAGE_SIZE ? undefined : rows.at(-1);
    return {
      items: rows.map((row) => ({
        userId: row.id,
        username: row.username,
        kind: row.kind,
        status: row.status,
        roles: row.roles,
        permissions: row.permissions,
        secondFactor: row.second_factor,
        createdAt: row.created_at.toISOString(),
        lastLoginAt: row.last_login_at?.toISOString(),
      })),
      nextCursor: keysetCursor(last && [last.id]),
    };
  };
}
