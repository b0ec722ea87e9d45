import { ClavigerError } from '@claviger/errors';
import { Cron } from 'croner';

const HOUR_MS = 3_600_000;
/** Runs that are examined to find the shortest interval of a pattern. */
const LOOKED_AT = 60;

/**
 * The runs of a schedule. A time that daylight saving skips runs at the end of the gap; a repeated time runs
 * once.
 */
export interface Moments {
  /** The next runs after `from`, earliest first; fewer when the pattern ends. */
  next(count: number, from: Date): Date[];
}

/**
 * Parses a cron pattern.
 *
 * @throws {ClavigerError} `invalid` for an unknown pattern or zone, for one that never runs, and for one that
 *   runs more than once an hour.
 */
export function momentsOf(cron: string, timeZone: string, now: Date = new Date()): Moments {
  requireZone(timeZone);
  let pattern: Cron;
  try {
    pattern = new Cron(cron, { mode: '5-part', timezone: timeZone, paused: true });
  } catch {
    throw ClavigerError.invalid(
      '/cron',
      'must have five fields: minute, hour, day of the month, month, day of the week',
    );
  }
  const next = (count: number, from: Date) => pattern.nextRuns(count, from);
  const runs = next(LOOKED_AT, now);
  if (runs.length === 0) throw ClavigerError.invalid('/cron', 'must name a moment in the future');
  if (runs.some((run, index) => index > 0 && run.getTime() - runs[index - 1]!.getTime() < HOUR_MS))
    throw ClavigerError.invalid('/cron', 'must not run more often than once an hour');
  return { next };
}

function requireZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch {
    throw ClavigerError.invalid('/timeZone', 'must be the IANA name of a time zone, e.g. Europe/Berlin');
  }
}

/** The newest due moment at `now`, and how many earlier ones were missed. */
export function dueMoment(
  moments: Moments,
  firstDue: Date,
  now: Date,
): { readonly occurrence: Date; readonly missed: number } {
  let occurrence = firstDue;
  let missed = 0;
  for (;;) {
    const later = moments.next(100, occurrence).filter((moment) => moment <= now);
    if (later.length === 0) return { occurrence, missed };
    missed += later.length;
    occurrence = later.at(-1)!;
  }
}
