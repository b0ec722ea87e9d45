/** SQLSTATE of a database error, or undefined when the error did not come from the database. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'severity' in error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** 08 connection, 53 resources, 57P operator intervention, 58 system error: the statement itself was not at fault. */
const OUTAGE_CLASSES = ['08', '53', '57P', '58'];

/** Whether the database was away or broken, rather than refusing this statement. */
export function isOutage(error: unknown): boolean {
  const state = sqlState(error);
  if (state) return OUTAGE_CLASSES.some((prefix) => state.startsWith(prefix));
  if (!(error instanceof Error) || error.name === 'ClavigerError') return false;
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && /^(ECONN|EPIPE|ENOENT|ETIMEDOUT|EHOSTUNREACH)/.test(code)) return true;
  return /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect)/.test(
    error.message,
  );
}

export const isUniqueViolation = (error: unknown): boolean => sqlState(error) === '23505';
export const isForeignKeyViolation = (error: unknown): boolean => sqlState(error) === '23503';
