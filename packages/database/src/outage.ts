import { ClavigerError } from '@claviger/errors';

/** SQLSTATE of a database error; undefined when the error is not from the database. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'severity' in error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/**
 * Errors that the statement did not cause: 08 connection, 53 resources (full disk), 57P operator
 * intervention, 58 system error (I/O), 25P03 and 25P04 transaction time-out, 25006 read-only server, XX001
 * and XX002 corrupted data or index.
 */
const OUTAGE_CLASSES = ['08', '53', '57P', '58', '25P03', '25P04', '25006', 'XX001', 'XX002'];
/** The server answers but cannot write. */
const STORES_NOTHING = ['25006', '53100', '58030'];

/** Lock timeout, deadlock, serialization failure: a repetition may succeed. */
const TRY_AGAIN = new Set(['55P03', '40P01', '40001']);
const STATEMENT_TIMEOUT = '57014';

/** Whether the database was unavailable or broken, as opposed to refusing this statement. */
export function isOutage(error: unknown): boolean {
  const state = sqlState(error);
  if (state) return OUTAGE_CLASSES.some((prefix) => state.startsWith(prefix));
  if (!(error instanceof Error) || error.name === 'ClavigerError') return false;
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && /^(ECONN|EPIPE|ENOENT|ETIMEDOUT|EHOSTUNREACH)/.test(code)) return true;
  return /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying to connect)/.test(
    error.message,
  );
}

/** Whether this connection must not be reused: it is broken, or its prepared statements are stale. */
export function isConnectionSpoilt(error: unknown): boolean {
  return isOutage(error) || isStalePlan(error);
}

/** A migration changed the columns of a statement that this connection had prepared. */
function isStalePlan(error: unknown): boolean {
  const state = sqlState(error);
  return (
    state === '26000' ||
    (state === '0A000' && (error as { routine?: string }).routine === 'RevalidateCachedQuery')
  );
}

/** Converts outages and contention into errors for the caller; returns all others unchanged. */
export function shownError(error: unknown): unknown {
  if (isOutage(error)) {
    const state = sqlState(error) ?? '';
    const message = STORES_NOTHING.includes(state)
      ? 'The database cannot write: it is read-only or its disk is full.'
      : 'The database cannot be reached.';
    return new ClavigerError('unavailable', message, {
      cause: error,
      retryAfterSeconds: 1,
    });
  }
  const state = sqlState(error) ?? '';
  if (state === STATEMENT_TIMEOUT) {
    return new ClavigerError('deadline_exceeded', 'The database took too long.', {
      cause: error,
      retryAfterSeconds: 1,
    });
  }
  if (TRY_AGAIN.has(state) || isStalePlan(error)) {
    return new ClavigerError('unavailable', 'Another call is changing the same objects at the moment.', {
      cause: error,
      retryAfterSeconds: 1,
    });
  }
  return error;
}

export const isUniqueViolation = (error: unknown): boolean => sqlState(error) === '23505';
export const isForeignKeyViolation = (error: unknown): boolean => sqlState(error) === '23503';
