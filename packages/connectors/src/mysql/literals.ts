/** The session sets this mode before it sends any literal: a backslash is then an ordinary character. */
export const SESSION_SQL_MODE = 'NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES';

/** Quotes a text as an SQL literal under SESSION_SQL_MODE. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Quotes an account name for SQL. */
export function accountName(user: string, host: string): string {
  return `${literal(user)}@${literal(host)}`;
}
