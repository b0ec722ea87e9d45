import type { ApprovalStep } from './rule.ts';
import { compileWindow, type TimeWindow } from './time-window.ts';

/** A user who may decide requests, and when. */
export interface Approver {
  readonly userId: string;
  readonly roles: readonly string[];
  /** Other people who control the account. Accounts with a person in common count once. */
  readonly behind?: readonly string[];
  /** False if the user is disabled or locked. Default true. */
  readonly active?: boolean;
  /** Working times or duty; always when absent. One open window suffices. */
  readonly windows?: readonly TimeWindow[];
  /** Leave, `[from, to)`, RFC 3339. */
  readonly away?: readonly { readonly from: string; readonly to: string }[];
}

export interface Coverage {
  /** Users who can approve at some time, by id; one of the accounts that count once. */
  readonly eligible: readonly string[];
  /** Accounts that can approve and whose password another user has set. */
  readonly notHandedOver: readonly string[];
  /** Those who can approve now. */
  readonly now: readonly string[];
  /**
   * The next time at which enough users can approve, and these users; null if they can now, or not within the
   * horizon.
   */
  readonly next: { readonly at: string; readonly userIds: readonly string[] } | null;
}

export interface CoverageOptions {
  /** RFC 3339. */
  readonly at: string;
  readonly horizonDays?: number;
  /** The requester and all who have decided. */
  readonly excludeUserIds?: readonly string[];
}

const DEFAULT_HORIZON_DAYS = 14;
const DAY_MS = 24 * 60 * 60_000;

/**
 * Returns who can approve a step now, and when enough users can. A window with an unknown zone counts as
 * closed.
 */
export function whoCanApprove(
  step: ApprovalStep,
  approvers: readonly Approver[],
  { at, horizonDays = DEFAULT_HORIZON_DAYS, excludeUserIds = [] }: CoverageOptions,
): Coverage {
  const nowMs = Date.parse(at);
  const excluded = new Set(excludeUserIds.map((id) => id.toLowerCase()));
  const able = approvers
    .filter((approver) => approver.active !== false && !peopleOf(approver).some((id) => excluded.has(id)))
    .filter((approver) => mayPass(step, approver));
  const notHandedOver = able.filter(isHeld).map(({ userId }) => userId);
  const calendars = countedOnce(able).map(calendarOf);
  const there = (instantMs: number): string[] =>
    calendars.filter((calendar) => calendar.isThere(instantMs)).map(({ userId }) => userId);
  const eligible = calendars.map(({ userId }) => userId);
  const now = there(nowMs);
  if (now.length >= step.quorum || eligible.length < step.quorum)
    return { eligible, notHandedOver, now, next: null };
  const untilMs = nowMs + horizonDays * DAY_MS;
  const arrivals = [...new Set(calendars.flatMap((calendar) => calendar.arrivals(nowMs, untilMs)))];
  for (const instantMs of arrivals.sort((a, b) => a - b)) {
    const userIds = there(instantMs);
    if (userIds.length >= step.quorum)
      return { eligible, notHandedOver, now, next: { at: new Date(instantMs).toISOString(), userIds } };
  }
  return { eligible, notHandedOver, now, next: null };
}

const peopleOf = ({ userId, behind = [] }: Approver): string[] =>
  [userId, ...behind].map((id) => id.toLowerCase());

/** Another user knows its password. */
const isHeld = ({ behind = [] }: Approver): boolean => behind.length > 0;

/**
 * One of the accounts with a person in common, preferably the own account of that person: together they
 * decide once.
 */
function countedOnce(approvers: readonly Approver[]): Approver[] {
  const counted = new Set<string>();
  const ownFirst = approvers.toSorted((a, b) => Number(isHeld(a)) - Number(isHeld(b)));
  return ownFirst.filter((approver) => {
    const people = peopleOf(approver);
    const isNew = !people.some((id) => counted.has(id));
    for (const id of people) counted.add(id);
    return isNew;
  });
}

function mayPass(step: ApprovalStep, { userId, roles }: Approver): boolean {
  if (step.approverUserIds.length === 0 && step.approverRoles.length === 0) return true;
  const named = step.approverUserIds.some((id) => id.toLowerCase() === userId.toLowerCase());
  return named || step.approverRoles.some((role) => roles.includes(role));
}

interface Calendar {
  readonly userId: string;
  isThere(instantMs: number): boolean;
  /** Times at which the user can become available. */
  arrivals(fromMs: number, untilMs: number): number[];
}

function calendarOf({ userId, windows, away = [] }: Approver): Calendar {
  const shifts = windows?.flatMap((window) => {
    try {
      return [compileWindow(window)];
    } catch {
      return [];
    }
  });
  const leaves = away.map(({ from, to }) => ({ from: Date.parse(from), to: Date.parse(to) }));
  return {
    userId,
    isThere: (instantMs) =>
      leaves.every(({ from, to }) => instantMs < from || instantMs >= to) &&
      (shifts === undefined || shifts.some((shift) => shift.isOpen(instantMs))),
    arrivals(fromMs, untilMs) {
      const found = leaves.map(({ to }) => to).filter((to) => to > fromMs && to <= untilMs);
      for (const shift of shifts ?? []) {
        let at: number | undefined = fromMs;
        while (at !== undefined && at < untilMs) {
          at = shift.nextChange(at, (untilMs - at) / DAY_MS);
          if (at !== undefined && at <= untilMs) found.push(at);
        }
      }
      return found;
    },
  };
}
