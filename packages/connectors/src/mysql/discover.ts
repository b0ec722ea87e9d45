import type { ConnectorContext, Credential, DiscoveredAccount } from '../connector.ts';
import { asConnectorError, ConnectorError } from '../connector-error.ts';
import { operationSignal } from '../deadline.ts';
import { TARGET_LIMITS } from '../limits.ts';
import { listed } from '../listed.ts';
import type { MysqlConfig } from './config.ts';
import { asServerError, wordsOf } from './server-errors.ts';
import { openSession } from './session.ts';

const privileges = ['Super', 'Create_user', 'Grant', 'File', 'Shutdown', 'Reload'] as const;
const privilegeColumns = privileges.map((name) => `u.${name}_priv`).join(', ');

/** Hashes are never read. */
const mariaDbQuery = `
  SELECT u.User AS user, u.Host AS host, u.plugin, u.password_expired AS expired, u.is_role AS role, ${privilegeColumns},
         JSON_VALUE(g.Priv, '$.account_locked') AS locked,
         DATE_FORMAT(FROM_UNIXTIME(NULLIF(JSON_VALUE(g.Priv, '$.password_last_changed'), '0')), '%Y-%m-%d') AS changed
    FROM mysql.user u LEFT JOIN mysql.global_priv g ON g.User = u.User AND g.Host = u.Host
   ORDER BY u.User, u.Host`;
const mysqlQuery = `
  SELECT u.User AS user, u.Host AS host, u.plugin, u.password_expired AS expired, 'N' AS role, ${privilegeColumns},
         u.account_locked AS locked, DATE_FORMAT(u.password_last_changed, '%Y-%m-%d') AS changed
    FROM mysql.user u ORDER BY u.User, u.Host`;

type Row = Readonly<Record<string, unknown>>;
const isYes = (value: unknown) => value === 'Y' || value === '1' || value === 'true';

/**
 * Lists the accounts, one per user name; its hosts are in the details. Omits roles and anonymous accounts.
 */
export async function discoverMysql(
  config: MysqlConfig,
  admin: Credential,
  ctx: ConnectorContext,
): Promise<DiscoveredAccount[]> {
  try {
    await using session = await openSession(config, admin, ctx, operationSignal(ctx));
    const rows = await session.query(session.isMariaDb ? mariaDbQuery : mysqlQuery);
    if (rows.length > TARGET_LIMITS.accounts)
      throw new ConnectorError('protocol', `The server lists more than ${TARGET_LIMITS.accounts} accounts.`);
    const byUser = Map.groupBy(
      rows.filter((row) => row.user !== '' && !isYes(row.role)),
      (row) => String(row.user),
    );
    return [...byUser].map(([user, accounts]) => describe(user, accounts));
  } catch (error) {
    const said = asServerError(error);
    if (said === undefined) throw asConnectorError(error);
    throw new ConnectorError('permission', wordsOf(said), {
      cause: error,
      hint: "The administrator needs SELECT on the server's table mysql.user.",
    });
  }
}

function describe(user: string, accounts: readonly Row[]): DiscoveredAccount {
  const held = privileges.filter((name) => accounts.some((row) => isYes(row[`${name}_priv`])));
  const isLocked = accounts.every((row) => isYes(row.locked));
  const changed = accounts.flatMap((row) => (typeof row.changed === 'string' ? [row.changed] : [])).sort();
  const [oldest] = changed;
  return {
    username: user,
    privileged: held.length > 0,
    canLogin: accounts.some((row) => !isYes(row.locked) && row.plugin !== 'mysql_no_login'),
    ...(oldest === undefined ? {} : { lastPasswordChange: oldest }),
    details: {
      hosts: listed(
        accounts.map((row) => String(row.host)),
        ',',
      ),
      plugins: listed([...new Set(accounts.map((row) => String(row.plugin ?? '')))], ','),
      locked: String(isLocked),
      passwordExpired: String(accounts.some((row) => isYes(row.expired))),
      privileges: held.join(','),
    },
  };
}
