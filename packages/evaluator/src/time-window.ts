/**
 * When a rule applies: local wall-clock times of a zone. `[start, end)`; an end before the start is on the
 * next day.
 */
export interface TimeWindow {
  /** `HH:MM`, 24 hours. */
  readonly start: string;
  readonly end: string;
  /** Days that the window begins on, 0 Sunday to 6 Saturday; every day when absent or null. */
  readonly days?: readonly number[] | null;
  /** IANA name; UTC when absent or null. */
  readonly timezone?: string | null;
}

export const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const DAY_MINUTES = 24 * 60;

/** Local time of a zone: day of the week and minutes since midnight. */
export interface WallClock {
  readonly day: number;
  readonly minutes: number;
}

export interface CompiledWindow {
  readonly window: TimeWindow;
  /** Whether the window is open at an instant, in milliseconds since 1970. Throws for an unknown zone. */
  isOpen(instantMs: number): boolean;
  /** The first minute after `instantMs` at which the window changes, within `days`. */
  nextChange(instantMs: number, days: number): number | undefined;
}

/**
 * The local time decides. A time that a clock change skips does not occur, so a window inside the gap stays
 * closed on that day; a time that occurs twice counts twice. Throws RangeError for an unknown zone.
 */
export function compileWindow(window: TimeWindow): CompiledWindow {
  const clock = wallClockOf(window.timezone ?? 'UTC');
  const isOpen = (instantMs: number): boolean => isOpenAt(window, clock(instantMs));
  return {
    window,
    isOpen,
    nextChange: (instantMs, days) => nextChange(window, clock, isOpen, instantMs, days),
  };
}

/** Whether a local time is inside the window. Pure arithmetic, without zones. */
export function isOpenAt(window: TimeWindow, { day, minutes }: WallClock): boolean {
  const start = minutesOf(window.start);
  const end = minutesOf(window.end);
  const on = (weekday: number): boolean => !window.days || window.days.includes(weekday);
  if (start <= end) return on(day) && start <= minutes && minutes < end;
  return (on(day) && minutes >= start) || (on((day + 6) % 7) && minutes < end);
}

/** Minutes since midnight of `HH:MM`; NaN for another text. */
export function minutesOf(time: string): number {
  const parts = /^([01][0-9]|2[0-3]):([0-5][0-9])$/.exec(time);
  return parts ? Number(parts[1]) * 60 + Number(parts[2]) : Number.NaN;
}

/** Whether this is the name of a zone of the IANA database, not an offset. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false;
  try {
    zoneOf(name);
    return true;
  } catch {
    return false;
  }
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
// Creating a format costs a thousand times as much as using it; an installation has few zones.
const zones = new Map<string, Zone>();

interface Zone {
  readonly format: Intl.DateTimeFormat;
  /** The last result, because all windows of one decision use the same instant. */
  last: { readonly instantMs: number; readonly clock: WallClock } | undefined;
}

function zoneOf(timeZone: string): Zone {
  let zone = zones.get(timeZone);
  if (!zone) {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    if (zones.size >= 1_000) zones.clear();
    zone = { format, last: undefined };
    zones.set(timeZone, zone);
  }
  return zone;
}

/** Reads the wall clock of a zone. Throws RangeError for an unknown zone or an instant out of range. */
export function wallClockOf(timeZone: string): (instantMs: number) => WallClock {
  if (timeZone === 'UTC') {
    return (instantMs) => {
      if (!Number.isFinite(instantMs)) throw new RangeError('the instant is not a date');
      const date = new Date(instantMs);
      return { day: date.getUTCDay(), minutes: date.getUTCHours() * 60 + date.getUTCMinutes() };
    };
  }
  const zone = zoneOf(timeZone);
  return (instantMs) => {
    if (zone.last?.instantMs === instantMs) return zone.last.clock;
    let day = -1;
    let minutes = 0;
    for (const { type, value } of zone.format.formatToParts(instantMs)) {
      if (type === 'weekday') day = WEEKDAYS.indexOf(value);
      else if (type === 'hour') minutes += Number(value) * 60;
      else if (type === 'minute') minutes += Number(value);
    }
    if (day < 0 || !Number.isInteger(minutes)) throw new RangeError('the wall clock could not be read');
    const clock = { day, minutes };
    zone.last = { instantMs, clock };
    return clock;
  };
}

/**
 * Steps to the next start or end by local time, at most a few hours at a time, so that no clock change is
 * missed; then finds the exact minute by bisection.
 */
function nextChange(
  window: TimeWindow,
  clock: (instantMs: number) => WallClock,
  isOpen: (instantMs: number) => boolean,
  fromMs: number,
  days: number,
): number | undefined {
  const open = isOpen(fromMs);
  const until = fromMs + days * DAY_MS;
  let at = Math.floor(fromMs / MINUTE_MS) * MINUTE_MS;
  while (at < until) {
    const { minutes } = clock(at);
    const ahead = [window.start, window.end].map(
      (time) => (minutesOf(time) - minutes + DAY_MINUTES) % DAY_MINUTES || DAY_MINUTES,
    );
    let step = Math.min(...ahead, 60);
    // At a clock change, a step could miss a window, so it goes minute by minute.
    if ((clock(at + step * MINUTE_MS).minutes - minutes - step) % DAY_MINUTES !== 0) step = 1;
    const next = at + step * MINUTE_MS;
    if (isOpen(next) !== open) return firstChange(isOpen, open, at, next);
    at = next;
  }
  return undefined;
}

function firstChange(isOpen: (instantMs: number) => boolean, open: boolean, fromMs: number, toMs: number) {
  let [same, changed] = [fromMs, toMs];
  while (changed - same > MINUTE_MS) {
    const middle = same + Math.floor((changed - same) / 2 / MINUTE_MS) * MINUTE_MS;
    if (isOpen(middle) === open) same = middle;
    else changed = middle;
  }
  return changed;
}
