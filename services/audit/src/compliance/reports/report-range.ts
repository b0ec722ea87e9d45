import { SECTIONS, type Section } from '@claviger/compliance-package';
import { ClavigerError } from '@claviger/errors';

const DAY_MS = 86_400_000;
const MAX_DAYS = 3_660;

/** Whole days (UTC), both included. */
export interface DayRange {
  readonly from: string;
  readonly to: string;
}

/**
 * @throws {ClavigerError} `invalid` for a day that does not exist, an empty range, or more than ten years.
 */
export function dayRange({ from, to }: DayRange): DayRange {
  const [first, last] = [startOf(from, '/from'), startOf(to, '/to')];
  if (first > last) throw ClavigerError.invalid('/to', 'must not be before from');
  if (last - first > MAX_DAYS * DAY_MS)
    throw ClavigerError.invalid('/to', 'is more than ten years after from');
  return { from, to };
}

function startOf(day: string, pointer: string): number {
  const time = Date.parse(`${day}T00:00:00Z`);
  // Date turns 2026-02-30 into a day in March.
  if (Number.isNaN(time) || time < 0 || !new Date(time).toISOString().startsWith(day))
    throw ClavigerError.invalid(pointer, 'must be an existing day, e.g. 2026-01-31');
  return time;
}

/** The half-open interval of instants that queries use. */
export function instantsOf({ from, to }: DayRange): { from: Date; before: Date } {
  return { from: new Date(`${from}T00:00:00Z`), before: new Date(Date.parse(`${to}T00:00:00Z`) + DAY_MS) };
}

/**
 * Returns the named sections, or all, each once and in the usual order. Break-glass events are proven
 * together with the events, so they include that section.
 */
export function requestedSections(named: readonly string[]): Section[] {
  if (named.length === 0) return [...SECTIONS];
  return SECTIONS.filter(
    (section) => named.includes(section) || (section === 'events' && named.includes('break-glass')),
  );
}
