/** How far a request or an approval goes. What is absent or null, the request does not limit. */
export interface Extent {
  /** What it is for, by name: an entry of a resource, a device, one action of a tool. */
  readonly subject?: Readonly<Record<string, string | null>>;
  /** Who may use it. */
  readonly userId?: string | null;
  readonly minutes?: number | null;
  /** Whether the secret is handed out once only. */
  readonly oneTime?: boolean;
  /** Whether the secret is rotated at the end. */
  readonly rotateOnEnd?: boolean;
}

export type Dimension = keyof Extent;

/**
 * The dimension in which `given` is more than `asked`; undefined where it is at most what was asked. An approval never gives more:
 * whoever needs more asks again.
 */
export function beyondAsked(asked: Extent, given: Extent): Dimension | undefined {
  const [before, after] = [asked.subject ?? {}, given.subject ?? {}];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  if (names.some((name) => (before[name] ?? null) !== (after[name] ?? null))) return 'subject';
  if ((asked.userId ?? null) !== (given.userId ?? null)) return 'userId';
  const minutes = given.minutes ?? Number.POSITIVE_INFINITY;
  if (minutes > minutesWithin(asked, minutes)) return 'minutes';
  if (asked.oneTime && !given.oneTime) return 'oneTime';
  if (asked.rotateOnEnd && !given.rotateOnEnd) return 'rotateOnEnd';
  return undefined;
}

/** The minutes of an approval that nobody chose in view of the request, such as a rule's: never more than was asked. */
export function minutesWithin(asked: Pick<Extent, 'minutes'>, wanted: number): number {
  return Math.min(wanted, asked.minutes ?? Number.POSITIVE_INFINITY);
}
