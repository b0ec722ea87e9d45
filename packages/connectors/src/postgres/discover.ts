import type { ConnectorContext, Credential, DiscoveredAccount } from '../connector.ts';
import { asConnectorError, ConnectorError } from '../connector-error.ts';
import { operationSignal } from '../deadline.ts';
import { TARGET_LIMITS } from '../limits.ts';
import { listed } from '../listed.ts';
import type { PostgresConfig } from './config.ts';
import { openSession } from './session.ts';

interface RoleRow {
  name: string;
  superuser: string;
  createrole: string;
  createdb: string;
  replication: string;
  bypassrls: string;
  canlogin: string;
  valid_until: string | null;
  /** The names of all groups, as JSON. */
  member_of: string;
}

/**
 * Reads every role except predefined ones. Resolves inherited privileges through all levels of membership.
 */
const rolesQuery = `
  WITH RECURSIVE membership AS (
    SELECT member, roleid FROM pg_auth_members
    UNION
    SELECT m.member, g.roleid FROM membership m JOIN pg_auth_members g ON g.member = m.roleid
  )
  SELECT r.rolname AS name, r.rolsuper AS superuser, r.rolcreaterole AS createrole, r.rolcreatedb AS createdb,
         r.rolreplication AS replication, r.rolbypassrls AS bypassrls, r.rolcanlogin AS canlogin,
         to_char(r.rolvaliduntil AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS valid_until,
         to_json(array(SELECT g.rolname::text FROM membership m JOIN pg_roles g ON g.oid = m.roleid
               WHERE m.member = r.oid ORDER BY 1)) AS member_of
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

/**
 * Lists the roles of the server; any role may read them. PostgreSQL does not report the time of a password
 * change.
 */
export async function discoverPostgres(
  config: PostgresConfig,
  admin: Credential,
  ctx: ConnectorContext,
): Promise<DiscoveredAccount[]> {
  try {
    await using session = await openSession(config, admin, ctx, operationSignal(ctx));
    const { rows } = await session.client.query<RoleRow>(rolesQuery);
    if (rows.length > TARGET_LIMITS.accounts)
      throw new ConnectorError('protocol', `The server lists more than ${TARGET_LIMITS.accounts} roles.`);
    const powerful = new Set(rows.filter(hasOwnPower).map((row) => row.name));
    return rows.map((row) => describe(row, powerful));
  } catch (error) {
    throw asConnectorError(error);
  }
}

function describe(row: RoleRow, powerful: ReadonlySet<string>): DiscoveredAccount {
  const groups = groupsOf(row);
  return {
    username: row.name,
    privileged:
      powerful.has(row.name) || groups.some((group) => powerful.has(group) || privilegedGroups.has(group)),
    canLogin: isTrue(row.canlogin),
    details: {
      superuser: String(isTrue(row.superuser)),
      createRole: String(isTrue(row.createrole)),
      createDatabase: String(isTrue(row.createdb)),
      replication: String(isTrue(row.replication)),
      bypassRowSecurity: String(isTrue(row.bypassrls)),
      memberOf: listed(groups, ','),
      ...(row.valid_until === null ? {} : { passwordValidUntil: row.valid_until }),
    },
  };
}

function groupsOf(row: RoleRow): string[] {
  const groups: unknown = JSON.parse(row.member_of);
  return Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [];
}

const isTrue = (value: string) => value === 't';

function hasOwnPower(row: RoleRow): boolean {
  return [row.superuser, row.createrole, row.replication, row.bypassrls].some(isTrue);
}
