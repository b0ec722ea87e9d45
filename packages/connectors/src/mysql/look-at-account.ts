import { z } from 'zod';
import type { BlockedAccount } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { serverText } from '../server-text.ts';
import { hostMatches, hostTaken } from './account-host.ts';
import { type Alternative, alternativesOfRow, hasPassword, privSchema } from './alternatives.ts';
import type { MysqlConfig } from './config.ts';
import { accountName, literal } from './literals.ts';
import type { MysqlSession } from './session.ts';

/** The state of an account, read by an administrator before the password is set. */
export interface AccountLook {
  /** The host part of the account. */
  readonly host: string;
  /** MariaDB only. */
  readonly alternatives: readonly Alternative[];
  /** The password is expired (`PASSWORD EXPIRE`); setting the password would clear this. */
  readonly mustChange: boolean;
  /** Why no login from here can succeed with any password. */
  readonly blocked: BlockedAccount | undefined;
}

interface Row {
  readonly host: string;
  readonly alternatives: readonly Alternative[];
  readonly isRole: boolean;
  readonly isLocked: boolean;
  readonly mustChange: boolean;
  /** What a login requires in addition to the password. */
  readonly needs: 'nothing' | 'tls' | 'certificate';
  readonly mayConnect: boolean;
}

/** Throws ConnectorError if the account is missing, ambiguous, or has no password to set. */
export async function lookAtAccount(
  session: MysqlSession,
  config: MysqlConfig,
  user: string,
): Promise<AccountLook> {
  const all = await (session.isMariaDb ? mariaDbRows(session, user) : mysqlRows(session, user));
  const rows = all.filter((row) => !row.isRole);
  if (rows.length === 0 && all.length > 0)
    throw new ConnectorError('not_possible', 'The name belongs to a role, which cannot log in.', {
      hint: 'Set the name of an account in the entry.',
    });
  const row = rowMeant(rows, config.accountHost);
  const name = accountName(user, row.host);
  if (!row.alternatives.some(session.isMariaDb ? hasPassword : hasMysqlPassword))
    throw new ConnectorError('not_possible', `The account has no password: ${kindsOf(row)}.`, {
      hint: session.isMariaDb
        ? `ALTER USER ${name} IDENTIFIED VIA ed25519 USING PASSWORD('…'), or mysql_native_password.`
        : `ALTER USER ${name} IDENTIFIED WITH caching_sha2_password BY '…'.`,
    });
  const hosts = rows.map(({ host }) => host);
  const blocked =
    blockOf(row, name) ?? blockOfHost(row, hosts, session.peerHost, name) ?? blockOfTls(row, config);
  return { ...row, blocked };
}

function rowMeant(rows: readonly Row[], wanted: string | undefined): Row {
  const row = wanted === undefined && rows.length === 1 ? rows[0] : rows.find(({ host }) => host === wanted);
  if (row !== undefined) return row;
  if (rows.length === 0)
    throw new ConnectorError('not_possible', 'The server has no such account.', {
      hint: 'Create it, or correct the user name of the entry.',
    });
  const hosts = serverText(rows.map(({ host }) => literal(host)).join(', '));
  throw new ConnectorError(
    'permission',
    wanted === undefined
      ? 'The server has several accounts of this name.'
      : 'The server has no account of this name and host.',
    { hint: `Select one with accountHost in the settings of the target. There are: ${hosts}.` },
  );
}

function blockOf({ isLocked, mustChange, mayConnect }: Row, name: string): BlockedAccount | undefined {
  if (isLocked) return { reason: 'The account is locked.', hint: `ALTER USER ${name} ACCOUNT UNLOCK.` };
  if (mustChange)
    return {
      reason: 'The password must be changed at the next login (PASSWORD EXPIRE).',
      hint: `Let the account rotate itself (rotateAs: self), or ALTER USER ${name} PASSWORD EXPIRE NEVER.`,
    };
  if (!mayConnect)
    return {
      reason: 'The account is not allowed any connection (MAX_USER_CONNECTIONS).',
      hint: `ALTER USER ${name} WITH MAX_USER_CONNECTIONS 0.`,
    };
  return undefined;
}

function blockOfHost(
  { host }: Row,
  hosts: readonly string[],
  peer: string,
  name: string,
): BlockedAccount | undefined {
  const seen = serverText(peer);
  if (hostMatches(host, peer) === false)
    return {
      reason: `The account is for other hosts: the server sees logins of Claviger from ${seen}.`,
      hint: `RENAME USER ${name} TO an account whose host matches ${seen}, or set accountHost to another one.`,
    };
  const taken = hostTaken(hosts, peer);
  if (taken === undefined || taken === host) return undefined;
  return {
    reason: `The server selects another account of this name for a login from ${seen}: ${serverText(literal(taken))}.`,
    hint: `Set accountHost to ${serverText(literal(taken))} in the settings of the target, or drop that account.`,
  };
}

function blockOfTls({ needs }: Row, config: MysqlConfig): BlockedAccount | undefined {
  if (needs === 'certificate')
    return {
      reason: 'The account requires a client certificate (REQUIRE X509, ISSUER or SUBJECT).',
      hint: 'Claviger logs in with a password only: ALTER USER … REQUIRE SSL.',
    };
  if (needs === 'tls' && config.tls.mode === 'disable')
    return {
      reason: 'The account requires TLS (REQUIRE SSL).',
      hint: 'Set tls in the module or the resource.',
    };
  return undefined;
}

/** Reads the hashes too: the change sends them back for alternatives that stay unchanged. */
async function mariaDbRows(session: MysqlSession, user: string): Promise<Row[]> {
  const rows = await session.query(
    `SELECT Host AS host, Priv AS priv FROM mysql.global_priv WHERE User = BINARY ${literal(user)}`,
  );
  return rows.map((row) => {
    const priv = privSchema.safeParse(parsed(String(row.priv)));
    if (!priv.success)
      throw new ConnectorError('protocol', 'The server describes the account in an unknown format.');
    const { data } = priv;
    const byCertificate =
      data.ssl_type === 2 || (data.ssl_type === 3 && `${data.x509_issuer}${data.x509_subject}` !== '');
    return {
      host: String(row.host),
      alternatives: alternativesOfRow(data),
      isRole: data.is_role,
      isLocked: data.account_locked,
      mustChange: data.password_last_changed === 0,
      needs: byCertificate ? 'certificate' : data.ssl_type > 0 ? 'tls' : 'nothing',
      mayConnect: data.max_user_connections >= 0,
    };
  });
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const mysqlRowSchema = z.object({
  host: z.string(),
  plugin: z.string(),
  locked: z.string(),
  expired: z.string(),
  ssl_type: z.string(),
  x509: z.string(),
});

async function mysqlRows(session: MysqlSession, user: string): Promise<Row[]> {
  const rows = await session.query(
    `SELECT Host AS host, plugin, account_locked AS locked, password_expired AS expired, ssl_type,
            CONCAT(x509_issuer, x509_subject) AS x509
       FROM mysql.user WHERE User = BINARY ${literal(user)}`,
  );
  return rows.map((row) => {
    const { success, data } = mysqlRowSchema.safeParse(row);
    if (!success)
      throw new ConnectorError('protocol', 'The server describes the account in an unknown format.');
    const byCertificate = data.ssl_type === 'X509' || (data.ssl_type === 'SPECIFIED' && data.x509 !== '');
    return {
      host: data.host,
      alternatives: [{ plugin: data.plugin, stored: '' }],
      isRole: false,
      isLocked: data.locked === 'Y',
      mustChange: data.expired === 'Y',
      needs: byCertificate ? 'certificate' : data.ssl_type === '' ? 'nothing' : 'tls',
      mayConnect: true,
    };
  });
}

/** The plugins of MySQL whose password the server itself stores. */
function hasMysqlPassword({ plugin }: Alternative): boolean {
  return ['caching_sha2_password', 'mysql_native_password', 'sha256_password'].includes(plugin);
}

function kindsOf({ alternatives }: Row): string {
  return serverText(
    alternatives
      .map(({ plugin, stored }) => (stored === 'invalid' ? `${plugin} (invalid)` : plugin))
      .join(', '),
  );
}
