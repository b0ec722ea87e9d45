import { type Client, escapeIdentifier, escapeLiteral } from 'pg';
import type { BlockedAccount } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { serverText } from '../server-text.ts';

interface Row {
  session: string;
  current: string;
  database: string;
  standby: string;
  read_only: string;
  found: string;
  can_login: string | null;
  valid_until: string | null;
  expires: string | null;
  superuser: string | null;
  role_limit: string | null;
  database_limit: string;
  may_connect: string | null;
}

/**
 * Any role may read this. A role that expires within a minute counts as expired: verification would be too
 * late.
 */
const lookQuery = (role: string) => `
  SELECT session_user AS session, current_user AS current, d.datname AS database, pg_is_in_recovery() AS standby,
         current_setting('transaction_read_only') = 'on' AS read_only, r.oid IS NOT NULL AS found, r.rolcanlogin AS can_login,
         r.rolvaliduntil::text AS valid_until, r.rolvaliduntil <= clock_timestamp() + interval '1 minute' AS expires,
         r.rolsuper AS superuser, r.rolconnlimit = 0 AS role_limit, d.datconnlimit = 0 AS database_limit,
         has_database_privilege(r.oid, d.oid, 'CONNECT') AS may_connect
    FROM pg_database d LEFT JOIN pg_roles r ON r.rolname = ${escapeLiteral(role)}
   WHERE d.datname = current_database()`;

/**
 * Reads the session and the role before the password changes. Returns why no login to this database can
 * succeed, or undefined if nothing prevents one. Throws ConnectorError if the change is not possible.
 */
export async function lookAtRole(
  client: Client,
  login: string,
  role: string,
): Promise<BlockedAccount | undefined> {
  const { rows } = await client.query<Row>(lookQuery(role));
  const [row] = rows;
  if (row === undefined) throw new ConnectorError('protocol', 'The server does not list its own database.');
  // A pooler or a login trigger can run the session as another role, whose password must not be changed.
  if (row.session !== login || row.current !== login)
    throw new ConnectorError(
      'permission',
      'The server runs this session as another role than the one that logged in.',
      { hint: 'Remove user= from the database in pgbouncer.ini, or SET ROLE from ALTER ROLE … SET.' },
    );
  if (isTrue(row.standby))
    throw new ConnectorError('not_now', 'The server is a standby, which accepts no changes.', {
      hint: 'Set the address of the primary, or promote this server.',
    });
  if (isTrue(row.read_only))
    throw new ConnectorError('permission', 'The transactions of this login are read-only.', {
      hint: `ALTER ROLE ${escapeIdentifier(login)} RESET default_transaction_read_only, or SHOW it for the database and the server.`,
    });
  if (!isTrue(row.found))
    throw new ConnectorError('not_possible', 'The server has no such role.', {
      hint: `CREATE ROLE ${escapeIdentifier(role)} LOGIN, or correct the user name of the entry.`,
    });
  return blockOf(row, escapeIdentifier(role), escapeIdentifier(row.database));
}

function blockOf(row: Row, role: string, database: string): BlockedAccount | undefined {
  if (!isTrue(row.can_login))
    return { reason: 'The role has no login (NOLOGIN).', hint: `ALTER ROLE ${role} LOGIN.` };
  if (isTrue(row.expires))
    return {
      reason: `The password of the role expires: VALID UNTIL ${serverText(row.valid_until ?? '')}.`,
      hint: `ALTER ROLE ${role} VALID UNTIL 'infinity', or a later time.`,
    };
  if (!isTrue(row.may_connect))
    return {
      reason: 'The role may not connect to the database of the target.',
      hint: `GRANT CONNECT ON DATABASE ${database} TO ${role}, or set another database.`,
    };
  if (isTrue(row.superuser)) return undefined;
  if (isTrue(row.role_limit))
    return {
      reason: 'The role is not allowed any connection (CONNECTION LIMIT 0).',
      hint: `ALTER ROLE ${role} CONNECTION LIMIT -1.`,
    };
  if (isTrue(row.database_limit))
    return {
      reason: 'The database allows no connection (CONNECTION LIMIT 0).',
      hint: `ALTER DATABASE ${database} CONNECTION LIMIT -1, or set another database.`,
    };
  return undefined;
}

const isTrue = (value: string | null) => value === 't';
