import type { RefusalKind } from '../connector.ts';
import { ConnectorError, type ConnectorErrorKind } from '../connector-error.ts';
import { serverText } from '../server-text.ts';
import { literal } from './literals.ts';

/** An error from the server itself. */
export interface ServerError {
  readonly errno: number;
  readonly sqlMessage: string;
}

export function asServerError(error: unknown): ServerError | undefined {
  if (!(error instanceof Error) || !('errno' in error) || !('sqlMessage' in error)) return undefined;
  const { errno, sqlMessage } = error;
  if (typeof errno !== 'number' || errno < 1000 || typeof sqlMessage !== 'string') return undefined;
  return { errno, sqlMessage };
}

/** Returns the server's message with its number, without any of the secrets. */
export function wordsOf(said: ServerError, secrets: readonly string[] = []): string {
  return `${serverText(said.sqlMessage, secrets)} (${said.errno})`;
}

export const ERROR = {
  /** MAX_QUERIES_PER_HOUR and similar limits. */
  userLimitReached: 1226,
  /** A variable cannot have this value. */
  wrongValue: 1231,
  /** Read-only, or a password policy that does not accept hashes. */
  optionPreventsStatement: 1290,
  /** The hash has an invalid format for the account's plugin. */
  notAHash: 1372,
  /** ALTER USER failed; the cause is among the warnings. */
  cannotUser: 1396,
  /** SET PASSWORD reached an alternative without a password. MariaDB may still have changed a later one. */
  setPasswordAuthPlugin: 1699,
  mustChangePassword: 1820,
  /** MySQL requires the current password in the statement. */
  missingCurrentPassword: 3892,
} as const;

/** Whether the server may accept the new password in another form. */
export function wantsAnotherForm(said: ServerError): boolean {
  if (said.errno === ERROR.optionPreventsStatement) return /password.validation/.test(said.sqlMessage);
  return said.errno === ERROR.notAHash || said.errno === ERROR.missingCurrentPassword;
}

interface Meaning<Kind> {
  readonly kind: Kind;
  readonly hint: string;
}

const limits: Meaning<'not_now'> = {
  kind: 'not_now',
  hint: 'Wait, close sessions, or raise the limit: max_connections, max_user_connections, ALTER USER … WITH MAX_….',
};
const passing: Meaning<'not_now'> = {
  kind: 'not_now',
  hint: "The server is busy, out of space, or stopping: wait, and see the server's error log.",
};
const readOnly: Meaning<'not_now'> = {
  kind: 'not_now',
  hint: 'Give the address of the primary server, or SET GLOBAL read_only = OFF.',
};

/** Temporary errors, during and after login. */
const passes = new Map<number, Meaning<'not_now'>>([
  ...[1040, 1203, 1226].map((errno) => [errno, limits] as const),
  ...[1021, 1037, 1038, 1041, 1053, 1105, 1205, 1206, 1213, 1317, 1969, 3024, 3032].map(
    (errno) => [errno, passing] as const,
  ),
  ...[1792, 1836].map((errno) => [errno, readOnly] as const),
]);

const locked: Meaning<'not_possible'> = {
  kind: 'not_possible',
  hint: 'The account is locked: ALTER USER … ACCOUNT UNLOCK.',
};
const expired: Meaning<'not_possible'> = {
  kind: 'not_possible',
  hint: 'The password must be changed first: rotate as the account itself (rotateAs: self), or ALTER USER … PASSWORD EXPIRE NEVER.',
};
const noPassword: Meaning<'not_possible'> = {
  kind: 'not_possible',
  hint: 'The account has no login method that Claviger supports: see SHOW CREATE USER, and ALTER USER … IDENTIFIED VIA … with ed25519 or mysql_native_password.',
};

/** Login errors that do not come from comparing the password. */
const atLogin = new Map<number, Meaning<ConnectorErrorKind>>([
  ...passes,
  ...[1820, 1862].map((errno) => [errno, expired] as const),
  ...[3118, 4151].map((errno) => [errno, locked] as const),
  ...[1251, 1275, 1524].map((errno) => [errno, noPassword] as const),
  [4150, { kind: 'not_possible', hint: 'Too many wrong passwords (max_password_errors): FLUSH PRIVILEGES.' }],
  [3955, { kind: 'not_now', hint: 'Too many wrong passwords: wait, or ALTER USER … ACCOUNT UNLOCK.' }],
  [
    1129,
    {
      kind: 'permission',
      hint: "FLUSH HOSTS on the server unblocks Claviger's address (max_connect_errors).",
    },
  ],
  [
    1130,
    {
      kind: 'permission',
      hint: "No account matches Claviger's address: RENAME USER or CREATE USER for its host.",
    },
  ],
  [
    1184,
    {
      kind: 'permission',
      hint: 'The statements of init_connect fail for this account: correct them on the server.',
    },
  ],
  [3159, { kind: 'configuration', hint: 'The server requires TLS: set tls in the module.' }],
]);

/**
 * Converts a failed login to an error with kind and hint. Two errors come from comparing the password: 1045,
 * and 1698 if the account's last alternative has no password. MariaDB also returns 1698 if no alternative has
 * one.
 */
export function loginError(said: ServerError, user: string, secrets: readonly string[]): ConnectorError {
  const words = wordsOf(said, secrets);
  if (said.errno === 1045 || said.errno === 1698)
    return new ConnectorError('authentication', words, {
      hint:
        'The server gives the same answer for a wrong password, a missing user, a user of other hosts, one without a password, and a login ' +
        'without the TLS that is required (REQUIRE SSL, require_secure_transport): SELECT Host, plugin, ssl_type FROM mysql.user ' +
        `WHERE User = ${literal(user)}.`,
    });
  const meaning = atLogin.get(said.errno);
  if (meaning === undefined) return new ConnectorError('protocol', words);
  return new ConnectorError(meaning.kind, words, { hint: meaning.hint });
}

/** Why the server kept the password, by the error that it reported for the statement itself. */
export function changeRefusal({ errno, sqlMessage }: ServerError): Meaning<RefusalKind> {
  // Password policy; password history.
  if (errno === 1819 || errno === 3638)
    return { kind: 'policy', hint: "See the server's password policy: SHOW VARIABLES LIKE '%password%'." };
  if (errno === ERROR.optionPreventsStatement && /read.only/i.test(sqlMessage)) return readOnly;
  return (
    passes.get(errno) ?? {
      kind: 'permission',
      hint: 'An administrator needs CREATE USER, and SELECT ON mysql.*: see SHOW GRANTS.',
    }
  );
}
