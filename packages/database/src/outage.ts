import { ClavigerError } from '@claviger/errors';

/** SQLSTATE of a database error, or undefined when the error did not come from the database. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'severity' in error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/**
 * 08 connection, 53 resources (a full disk), 57P operator intervention, 58 system error (I/O), 25P03 and 25P04 transaction
 * timed out and its connection gone, 25006 read-only server (a standby, or an operator's setting), XX001 and XX002 corrupted
 * data or index: the statement itself was not at fault.
 */
const OUTAGE_CLASSES = ['08', '53', '57P', '58', '25P03', '25P04', '25006', 'XX001', 'XX002'];
/** The server answers, and stores nothing. */
const STORES_NOTHING = ['25006', '53100', '58030'];

/** Lock timeout, deadlock, serialization failure: try again. */
const TRY_AGAIN = new Set(['55P03', '40P01', '40001']);
const STATEMENT_TIMEOUT = '57014';

/** Whether the database was away or broken, rather than refusing this statement. */
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

/** Whether this connection must not be used again: it is gone, or what it remembers of its statements is wrong. */
export function isConnectionSpoilt(error: unknown): boolean {
  return isOutage(error) || isStalePlan(error);
}

/** A migration changed the columns of a statement that this connection had prepared before. */
function isStalePlan(error: unknown): boolean {
  const state = sqlState(error);
  return (
    state === '26000' ||
    (state === '0A000' && (error as { routine?: string }).routine === 'RevalidateCachedQuery')
  );
}

/** What a caller is told: an outage or contention as such; everything else as it was thrown. */
export function shownError(error: unknown): unknown {
  if (isOutage(error)) {
    const state = sqlState(error) ?? '';
    const message = STORES_NOTHING.includes(state)
      ? 'The database stores nothing at the moment: it is read-only or its disk is full.'
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
    return new ClavigerError('unavailable', 'Others are changing the same objects at this moment.', {
      cause: error,
      retryAfterSeconds: 1,
    });
  }
  return error;
}

export const isUniqueViolation = (error: unknown): boolean => sqlState(error) === '23505';
export const isForeignKeyViolation = (error: unknown): boolean => sqlState(error) === '23503';
