import type * as authEvidence from '@claviger/contracts/auth/v1/evidence';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { EvidenceDeps } from './deps.ts';

/** Counts users and sessions that meet or violate the rules, by the clock of the database. */
export function getAuthPosture(
  deps: Pick<EvidenceDeps, 'database'>,
): Handler<typeof authEvidence.EvidenceService.getAuthPosture> {
  return async (_request, context) => {
    const { rows } = await deps.database.readTenant(context.tenantId, (reader) =>
      sql<authEvidence.GetAuthPostureResponse>`
        WITH administrators AS (
          SELECT users.id, users.created_at, users.last_login_at,
            EXISTS (SELECT FROM mfa_factors WHERE mfa_factors.user_id = users.id
              AND mfa_factors.confirmed_at IS NOT NULL) AS second_factor
          FROM users WHERE users.kind = 'person' AND users.status = 'active' AND users.deleted_at IS NULL
            AND EXISTS (SELECT FROM user_roles JOIN roles ON roles.id = user_roles.role_id
              WHERE user_roles.user_id = users.id AND '*' = ANY (roles.permissions)))
        SELECT
          (SELECT count(*) FROM administrators) AS "administrators",
          (SELECT count(*) FROM administrators WHERE NOT second_factor) AS "administratorsWithoutSecondFactor",
          (SELECT count(*) FROM administrators
            WHERE coalesce(last_login_at, created_at) < now() - interval '90 days') AS "dormantAdministrators",
          (SELECT count(*) FROM users WHERE status <> 'active' OR deleted_at IS NOT NULL) AS "endedUsers",
          (SELECT count(*) FROM sessions JOIN users ON users.id = sessions.user_id
            WHERE (users.status <> 'active' OR users.deleted_at IS NOT NULL)
              AND sessions.revoked_at IS NULL AND sessions.expires_at > now()) AS "liveSessionsOfEndedUsers"`.execute(
        reader,
      ),
    );
    return rows[0]!;
  };
}
