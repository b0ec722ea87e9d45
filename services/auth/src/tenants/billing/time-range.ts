import { ClavigerError } from '@claviger/errors';

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DAY_MS = 86_400_000;

/**
 * Returns a half-open range. A `to` date includes the whole day (UTC), a `to` time its millisecond. Throws
 * `invalid`.
 */
export function timeRange(request: { readonly from: string; readonly to: string }): {
  readonly from: Date | undefined;
  readonly before: Date | undefined;
} {
  const from = instant(request.from, '/from');
  const to = instant(request.to, '/to');
  const before = to && new Date(to.getTime() + (DATE.test(request.to) ? DAY_MS : 1));
  if (from && before && from >= before) throw ClavigerError.invalid('/to', 'must not be before from');
  return { from, before };
}

function instant(text: string, pointer: string): Date | undefined {
  if (text === '') return undefined;
  const time = new Date(text);
  const midnight = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  // Date accepts 2026-02-30 as a day in March.
  const exists =
    !Number.isNaN(time.getTime()) &&
    !Number.isNaN(midnight.getTime()) &&
    midnight.toISOString().startsWith(text.slice(0, 10));
  if (!exists)
    throw ClavigerError.invalid(pointer, 'must be a date (2026-01-31) or a time (2026-01-31T12:00:00Z)');
  return time;
}
