import type { ConnectorContext, Credential, DiscoveredAccount } from '../connector.ts';
import { asConnectorError } from '../connector-error.ts';
import { operationSignal } from '../deadline.ts';
import type { PostgresConfig } from './config.ts';
import { openSession } from './session.ts';

interface RoleRow {
  name: string;
  superuser: boolean;
  createrole: boolean;
  createdb: boolean;
  replication: boolean;
  bypassrls: boolean;
  canlogin: boolean;
  valid_until: string | null;
  member_of: string[];
}

/** Reads every role but the server's predefined ones. Inherited privileges are resolved through all levels of membership. */
const rolesQuery = `
  WITH RECURSIVE membership AS (
    SELECT member, roleid FROM pg_auth_members
    UNION
    SELECT m.member, g.roleid FROM membership m JOIN pg_auth_members g ON g.member = m.roleid
  )
  SELECT r.rolname AS name, r.rolsuper AS superuser, r.rolcreaterole AS createrole, r.rolcreatedb AS createdb,
         r.rolreplication AS replication, r.rolbypassrls AS bypassrls, r.rolcanlogin AS canlogin,
         to_char(r.rolvaliduntil AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS valid_until,
         array(SELECT g.rolname::text FROM membership m JOIN pg_roles g ON g.oid = m.roleid
               WHERE m.member = r.oid ORDER BY 1) AS member_of
    FROM pg_roles r
   WHERE r.rolname !~ '^pg_'
   ORDER BY r.rolname`;

const privilegedGroups = new Set([
  'pg_execute_server_program',
  'pg_read_all_data',
  'pg_read_server_files',
  'pg_write_all_data',
  'pg_write_server_files',
]);

/** Lists the roles of the server; any role may read them. PostgreSQL does not tell when a password was last changed. */
export async function discoverPostgres(
  config: PostgresConfig,
  admin: Credential,
  ctx: ConnectorContext,
): Promise<DiscoveredAccount[]> {
  try {
    await using session = await openSession(config, admin, ctx, operationSignal(ctx));
    const { rows } = await session.client.query<RoleRow>(rolesQuery);
    const powerful = new Set(rows.filter(hasOwnPower).map((row) => row.name));
    return rows.map((row) => ({
      username: row.name,
      privileged:
        powerful.has(row.name) ||
        row.member_of.some((group) => powerful.has(group) || privilegedGroups.has(group)),
      canLogin: row.canlogin,
      details: {
        superuser: String(row.superuser),
        createRole: String(row.createrole),
        createDatabase: String(row.createdb),
        replication: String(row.replication),
        bypassRowSecurity: String(row.bypassrls),
        memberOf: row.member_of.join(','),
        ...(row.valid_until === null ? {} : { passwordValidUntil: row.valid_until }),
      },
    }));
  } catch (error) {
    throw asConnectorError(error);
  }
}

function hasOwnPower(row: RoleRow): boolean {
  return row.superuser || row.createrole || row.replication || row.bypassrls;
}
