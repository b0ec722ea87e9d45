import { ClavigerError } from '@claviger/errors';

/** Half-open: `from` is included, `before` is not. */
export interface TimeRange {
  readonly from: Date | undefined;
  readonly before: Date | undefined;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DAY_MS = 86_400_000;

/**
 * The range of a request. Each end is a date, a time or empty. A bare `to` date includes its whole day (UTC),
 * a `to` time its millisecond.
 *
 * @throws {ClavigerError} `invalid` for a day that does not exist, or when the range ends before it begins.
 */
export function timeRange(request: { from: string; to: string }): TimeRange {
  const from = instant(request.from, '/from');
  const to = instant(request.to, '/to');
  const before = to && new Date(to.getTime() + (DATE.test(request.to) ? DAY_MS : 1));
  if (from && before && from >= before) throw ClavigerError.invalid('/to', 'must not be before from');
  return { from, before };
}

function instant(text: string, pointer: string): Date | undefined {
  if (text === '') return undefined;
  const time = new Date(text);
  const day = text.slice(0, 10);
  const midnight = new Date(`${day}T00:00:00Z`);
  // Date turns 2026-02-30 into a day in March. Times must lie between 1970 and 9999.
  const exists =
    !Number.isNaN(time.getTime()) &&
    !Number.isNaN(midnight.getTime()) &&
    midnight.toISOString().startsWith(day);
  if (!exists || time.getTime() < 0)
    throw ClavigerError.invalid(pointer, 'must be a date (2026-01-31) or a time (2026-01-31T12:00:00Z)');
  return time;
}
