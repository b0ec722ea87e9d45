import type { Period } from '../compliance-tables.ts';
import type { DayRange } from '../reports/report-range.ts';

const DAY_MS = 86_400_000;

/** The last whole period before a moment, in the time zone. In March, the last monthly period is February. */
export function lastPeriod(period: Period, moment: Date, timeZone: string): DayRange {
  const today = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(moment);
  const [year, month] = today.split('-').map(Number) as [number, number];
  const midnight = Date.parse(`${today}T00:00:00Z`);
  switch (period) {
    case 'day':
      return { from: day(midnight - DAY_MS), to: day(midnight - DAY_MS) };
    case 'week': {
      // Weeks begin on Monday.
      const sinceMonday = (new Date(midnight).getUTCDay() + 6) % 7;
      const monday = midnight - sinceMonday * DAY_MS;
      return { from: day(monday - 7 * DAY_MS), to: day(monday - DAY_MS) };
    }
    case 'month':
      return { from: day(Date.UTC(year, month - 2, 1)), to: day(Date.UTC(year, month - 1, 0)) };
    case 'quarter': {
      const first = month - 1 - ((month - 1) % 3);
      return { from: day(Date.UTC(year, first - 3, 1)), to: day(Date.UTC(year, first, 0)) };
    }
  }
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
