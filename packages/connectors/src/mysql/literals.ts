/** The mode that the session sets before any literal is sent: a backslash is then a character like any other. */
export const SESSION_SQL_MODE = 'NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES';

/** A text as a literal of SQL under SESSION_SQL_MODE. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** An account as the server names it. */
export function accountName(user: string, host: string): string {
  return `${literal(user)}@${literal(host)}`;
}
