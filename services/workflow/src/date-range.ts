import { ClavigerError } from '@claviger/errors';

export interface DateRange {
  /** Inclusive. */
  readonly from: Date | undefined;
  /** Exclusive. */
  readonly before: Date | undefined;
}

const DAY_MS = 86_400_000;

/** Bare dates are days in UTC; a bare `to` includes its whole day, a time is included itself. */
export function dateRange(request: { readonly from: string; readonly to: string }): DateRange {
  const from = request.from ? new Date(request.from) : undefined;
  let before: Date | undefined;
  if (request.to) {
    const isDay = !request.to.includes('T');
    // Times are kept to the millisecond.
    before = new Date(Date.parse(request.to) + (isDay ? DAY_MS : 1));
  }
  if (from && before && from >= before) throw ClavigerError.invalid('/from', 'lies after `to`');
  return { from, before };
}
