import { ClavigerError } from '@claviger/errors';

export interface DateRange {
  /** Inclusive. */
  readonly from: Date | undefined;
  /** Exclusive. */
  readonly before: Date | undefined;
}

const DAY_MS = 86_400_000;

/** Dates without a time are days in UTC; `to` is inclusive, as a whole day or as a time. */
export function dateRange(request: { readonly from: string; readonly to: string }): DateRange {
  const from = request.from ? new Date(request.from) : undefined;
  let before: Date | undefined;
  if (request.to) {
    const isDay = !request.to.includes('T');
    // Stored times have milliseconds.
    before = new Date(Date.parse(request.to) + (isDay ? DAY_MS : 1));
  }
  if (from && before && from >= before) throw ClavigerError.invalid('/from', 'lies after `to`');
  return { from, before };
}
