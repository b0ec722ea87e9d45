import type { Finding } from './finding.ts';
import { given } from './rule.ts';
import type { RuleSet } from './rule-set.ts';
import {
  compileWindow,
  isOpenAt,
  MINUTE_MS,
  minutesOf,
  type TimeWindow,
  type WallClock,
  wallClockOf,
} from './time-window.ts';

const DAYS_AHEAD = 366;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const DAY_MINUTES = 24 * 60;

/** Finds windows that never open, and days on which a clock change skips one. Examines one year. */
export function lintWindows(ruleSet: RuleSet, at: string): Finding[] {
  const findings: Finding[] = [];
  const atMs = Date.parse(at);
  const gaps = new Map<string, Gap[]>();
  // Broken rules are examined too: an empty window is one of the causes.
  for (const rule of ruleSet.rules) {
    const window = rule?.timeWindow;
    if (!given(window) || rule.enabled === false) continue;
    try {
      if (neverOpens(window)) {
        const message = `The window of “${rule.name}” from ${window.start} to ${window.end} never opens.`;
        findings.push({ code: 'window_never_matches', severity: 'error', ruleId: rule.id, message });
        continue;
      }
      const zone = window.timezone ?? 'UTC';
      const known = gaps.get(zone) ?? gapsOf(zone, atMs);
      gaps.set(zone, known);
      const gap = known.find((each) => swallows(each, window, wallClockOf(zone)));
      if (!gap) continue;
      const day = new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(gap.startMs);
      const message = `The clock change on ${day} skips the window of “${rule.name}”.`;
      findings.push({ code: 'window_skipped', severity: 'note', ruleId: rule.id, message });
    } catch {
      // An invalid window is reported as invalid_rule.
    }
  }
  return findings;
}

function neverOpens(window: TimeWindow): boolean {
  compileWindow(window);
  const turns = [0, minutesOf(window.start)];
  for (let day = 0; day < 7; day++)
    for (const minutes of turns) if (isOpenAt(window, { day, minutes })) return false;
  return true;
}

/** An hour in which the clock of a zone is set forward. */
interface Gap {
  readonly startMs: number;
  /** The wall clock at its start, and the length of the skipped time. */
  readonly before: WallClock;
  readonly jump: number;
}

/** Finds all in the next year: by days, and by hours on days with a clock change. */
function gapsOf(zone: string, fromMs: number): Gap[] {
  const clock = wallClockOf(zone);
  const gaps: Gap[] = [];
  const startMs = Math.floor(fromMs / HOUR_MS) * HOUR_MS;
  let dayBefore = clock(startMs);
  for (let dayMs = startMs; dayMs < startMs + DAYS_AHEAD * DAY_MS; dayMs += DAY_MS) {
    const dayAfter = clock(dayMs + DAY_MS);
    if (dayAfter.minutes !== dayBefore.minutes) gaps.push(...gapsOfDay(clock, dayMs));
    dayBefore = dayAfter;
  }
  return gaps;
}

function gapsOfDay(clock: (instantMs: number) => WallClock, dayMs: number): Gap[] {
  const gaps: Gap[] = [];
  let before = clock(dayMs);
  for (let startMs = dayMs; startMs < dayMs + DAY_MS; startMs += HOUR_MS) {
    const after = clock(startMs + HOUR_MS);
    const jump = (after.minutes - before.minutes - 60 + 2 * DAY_MINUTES) % DAY_MINUTES;
    // Ahead by up to three hours is a gap; the rest is the clock going back.
    if (jump > 0 && jump <= 180) gaps.push({ startMs, before, jump });
    before = after;
  }
  return gaps;
}

/** Whether the window would have opened in that hour, but is open at no minute of it. */
function swallows(
  { startMs, before, jump }: Gap,
  window: TimeWindow,
  clock: (ms: number) => WallClock,
): boolean {
  let would = false;
  for (let ahead = 0; ahead < 60 + jump; ahead++) {
    const minutes = before.minutes + ahead;
    const day = (before.day + Math.floor(minutes / DAY_MINUTES)) % 7;
    if (isOpenAt(window, { day, minutes: minutes % DAY_MINUTES })) would = true;
  }
  if (!would) return false;
  for (let at = startMs; at <= startMs + HOUR_MS; at += MINUTE_MS)
    if (isOpenAt(window, clock(at))) return false;
  return true;
}
