import { type DatabaseError, escapeIdentifier } from 'pg';
import type { RefusalKind } from '../connector.ts';
import { ConnectorError, type ConnectorErrorKind } from '../connector-error.ts';
import { serverText } from '../server-text.ts';

/** The progress of a login: whether the server asked for the password, and whether it was verified. */
export interface LoginProgress {
  readonly asked: boolean;
  readonly proved: boolean;
}

interface Meaning<Kind> {
  readonly kind: Kind;
  readonly hint: string;
}

/** Returns the server's message with its code, without any of the secrets. */
export function wordsOf(error: DatabaseError, secrets: readonly string[]): string {
  return `${serverText(error.message, secrets)} (${error.code ?? 'no code'})`;
}

const starting: Meaning<'not_now'> = {
  kind: 'not_now',
  hint: 'The server is starting, stopping or recovering: wait, and see its log.',
};
const full: Meaning<'not_now'> = {
  kind: 'not_now',
  hint: 'Wait, close sessions, or raise a limit: CONNECTION LIMIT of the role or the database, max_connections.',
};

/** Converts a failed login to an error with kind and hint. */
export function loginError(
  error: DatabaseError,
  role: string,
  database: string,
  progress: LoginProgress,
  secrets: readonly string[],
): ConnectorError {
  const { kind, hint } = loginMeaning(error, escapeIdentifier(role), escapeIdentifier(database), progress);
  return new ConnectorError(kind, wordsOf(error, secrets), hint === undefined ? {} : { hint });
}

function loginMeaning(
  { code = '', message }: DatabaseError,
  role: string,
  database: string,
  { asked, proved }: LoginProgress,
): { readonly kind: ConnectorErrorKind; readonly hint?: string } {
  const pooler = poolerMeaning(code, message);
  if (pooler !== undefined) return pooler;
  if (/^(?:40|53|55P03)/.test(code)) return full;
  if (/^57/.test(code)) return starting;
  switch (code) {
    case '28P01':
      return {
        kind: 'authentication',
        hint:
          'The server gives the same answer for a wrong password, a missing role, an expired VALID UNTIL, and a password that is not ' +
          'stored for SCRAM: SELECT rolname, rolvaliduntil FROM pg_roles; its log says which.',
      };
    case '28000':
      if (proved)
        return {
          kind: 'not_possible',
          hint: `The password is valid, but the role has no login: ALTER ROLE ${role} LOGIN.`,
        };
      if (asked) return { kind: 'authentication' };
      // The server sends this before it asks for a password.
      return {
        kind: 'not_possible',
        hint:
          `Allow password logins of the role: add the line "host ${database} ${role} ADDRESS/32 scram-sha-256" to pg_hba.conf, before other ` +
          'lines that match, and SELECT pg_reload_conf().',
      };
    case '42501':
      return {
        kind: 'permission',
        hint: `GRANT CONNECT ON DATABASE ${database} TO ${role}, or set another database.`,
      };
    case '3D000':
      return { kind: 'configuration', hint: 'Set database in the module or the resource.' };
    case '55000':
      return {
        kind: 'not_possible',
        hint: `ALTER DATABASE ${database} ALLOW_CONNECTIONS true, or set another database in the module or the resource.`,
      };
    case 'P0001':
      return {
        kind: 'permission',
        hint: 'A login event trigger refuses the role: see \\dy, and its function.',
      };
    default:
      return { kind: 'protocol' };
  }
}

/**
 * PgBouncer reports every error with the code of a protocol violation, in untranslated text. It checks
 * passwords against its own copy: neither a refusal nor a missing password shows what the server stores.
 */
function poolerMeaning(code: string, message: string): Meaning<ConnectorErrorKind> | undefined {
  if (/^(?:SASL|password) authentication failed$/.test(message))
    return {
      kind: 'permission',
      hint:
        'PgBouncer checked the password against its own copy: use auth_query, or update its userlist.txt and RELOAD. Or set the ' +
        'address of PostgreSQL itself.',
    };
  if (code !== '08P01') return undefined;
  if (/^no such user/.test(message))
    return {
      kind: 'not_possible',
      hint: 'PgBouncer finds no role of this name that may log in: ALTER ROLE … LOGIN, its auth_query, or its userlist.txt.',
    };
  if (/^(?:no such database|unsupported startup parameter)/.test(message))
    return {
      kind: 'configuration',
      hint: 'Set database to its name in PgBouncer ([databases] in pgbouncer.ini).',
    };
  if (
    /time-?out|no more connections|server login|server_login|connect to server|shut|paus|disabled/.test(
      message,
    )
  )
    return {
      kind: 'not_now',
      hint: 'PgBouncer has no connection for this login: see its log, SHOW POOLS, max_client_conn, default_pool_size, query_wait_timeout.',
    };
  return undefined;
}

/** Why the server kept the password. An ERROR rolls back the statement, so all of these are certain. */
export function changeRefusal(
  { code = '' }: DatabaseError,
  role: string,
  login: string,
): Meaning<RefusalKind> {
  // Password check modules raise 22023.
  if (code === '22023' || code === '23514' || code === 'P0001')
    return { kind: 'policy', hint: "See the server's password check: SHOW shared_preload_libraries." };
  if (code === '25006')
    return { kind: 'not_now', hint: 'The server is now read-only: set the address of the primary.' };
  if (/^(?:40|53|55|57|58|XX)/.test(code))
    return { kind: 'not_now', hint: 'The server is busy, out of space, or stopping: wait, and see its log.' };
  const [name, by] = [escapeIdentifier(role), escapeIdentifier(login)];
  return {
    kind: 'permission',
    hint:
      role === login
        ? `Try it as the role: ALTER ROLE ${name} PASSWORD '…'; or set rotateAs: admin.`
        : `The administrator needs CREATEROLE (ALTER ROLE ${by} CREATEROLE), since PostgreSQL 16 also GRANT ${name} TO ${by} WITH ADMIN ` +
          'OPTION. A superuser can change every role; only a superuser can change a superuser.',
  };
}
