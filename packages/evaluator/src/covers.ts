import { fileNameOf, parentOf } from './criteria.ts';
import type { StepCount } from './glob.ts';
import { canonicalGlob } from './path-glob.ts';
import { type Criteria, given } from './rule.ts';
import { appliesTo, type CompiledRule } from './rule-set.ts';
import { isOpenAt, minutesOf, type TimeWindow } from './time-window.ts';
import { foldCase } from './windows-path.ts';

/**
 * Whether `outer` matches everything that `inner` matches, for every kind of request that `inner` applies to.
 * Returns true only if this is certain; for two patterns or windows it can return false although it holds.
 * `effort` counts the work of comparing patterns.
 */
export function covers(outer: CompiledRule, inner: CompiledRule, effort: StepCount = { steps: 0 }): boolean {
  for (const kind of ['elevation', 'tool', 'access'] as const)
    if (appliesTo(inner, kind) && !appliesTo(outer, kind)) return false;
  // The lists of known software apply to prompts only; a rule about people applies to more.
  if (outer.stage === 'software_policy' && inner.shape !== 'executable') return false;
  return coversCriteria(outer.criteria, inner.criteria, effort);
}

function coversCriteria(outer: Criteria, inner: Criteria, effort: StepCount): boolean {
  return (
    holds(outer.matchHash, inner.matchHash, (a, b) => a.toLowerCase() === b.toLowerCase()) &&
    holds(outer.matchSigner, inner.matchSigner, (a, b) => a === b) &&
    holds(outer.matchToolName, inner.matchToolName, (a, b) => a === b) &&
    holds(outer.matchRiskTier, inner.matchRiskTier, (a, b) => a === b) &&
    holds(outer.siteId, inner.siteId, (a, b) => a.toLowerCase() === b.toLowerCase()) &&
    holds(outer.matchUser, inner.matchUser, (a, b) => foldCase(a) === foldCase(b)) &&
    holds(outer.matchAdGroup, inner.matchAdGroup, (a, b) => foldCase(a) === foldCase(b)) &&
    (outer.matchResourceId === '*' ||
      holds(outer.matchResourceId, inner.matchResourceId, (a, b) => a.toLowerCase() === b.toLowerCase())) &&
    holds(outer.matchParentImage, inner.matchParentImage, coversParent) &&
    holds(outer.timeWindow, inner.timeWindow, (a, b) => coversWindow(a, b, effort)) &&
    holds(outer.matchPathGlob, inner.matchPathGlob, (a, b) => coversGlob(a, b, effort))
  );
}

/** The inner rule must have each criterion of the outer one, at least as strict. */
function holds<T>(
  outer: T | null | undefined,
  inner: T | null | undefined,
  implied: (a: T, b: T) => boolean,
): boolean {
  return !given(outer) || (given(inner) && implied(outer, inner));
}

/**
 * Matches the inner pattern, as a text, against the outer one: only `*` matches its `*`, and `*` or `?` match
 * its `?`. At most 512 × 512 steps.
 */
export function coversGlob(
  outerPattern: string,
  innerPattern: string,
  effort: StepCount = { steps: 0 },
): boolean {
  const [outer, inner] = [canonicalGlob(outerPattern), canonicalGlob(innerPattern)];
  effort.steps += 16;
  // The inner pattern must contain the literal parts of the outer one. Most pairs fail here.
  if (outer.split(/[*?]+/).some((piece) => !inner.includes(piece))) return false;
  effort.steps += outer.length * inner.length;
  let reached = new Uint8Array(outer.length + 1);
  reached[0] = 1;
  skipStars(outer, reached);
  for (const unit of inner) {
    const next = new Uint8Array(outer.length + 1);
    for (let at = 0; at < outer.length; at++) {
      if (!reached[at]) continue;
      if (outer[at] === '*') next[at] = 1;
      else if (unit !== '*' && (outer[at] === '?' || outer[at] === unit)) next[at + 1] = 1;
    }
    skipStars(outer, next);
    reached = next;
  }
  return reached[outer.length] === 1;
}

/** A star can match the empty text, so a position before it is also reached after it. */
function skipStars(pattern: string, reached: Uint8Array): void {
  for (let at = 0; at < pattern.length; at++) if (reached[at] && pattern[at] === '*') reached[at + 1] = 1;
}

function coversParent(outer: string, inner: string): boolean {
  const [a, b] = [parentOf(outer), parentOf(inner)];
  if (a.whole) return b.whole && a.name === b.name;
  return a.name === fileNameOf(b.name);
}

/** Compares both windows by the wall clock of one zone at each start and end. */
export function coversWindow(
  outer: TimeWindow,
  inner: TimeWindow,
  effort: StepCount = { steps: 0 },
): boolean {
  if ((outer.timezone ?? 'UTC') !== (inner.timezone ?? 'UTC')) return false;
  effort.steps += 16;
  const opens = { day: inner.days?.[0] ?? 0, minutes: minutesOf(inner.start) };
  if (isOpenAt(inner, opens) && !isOpenAt(outer, opens)) return false;
  const turns = [0, ...[outer.start, outer.end, inner.start, inner.end].map(minutesOf)];
  for (let day = 0; day < 7; day++) {
    for (const minutes of turns) {
      if (isOpenAt(inner, { day, minutes }) && !isOpenAt(outer, { day, minutes })) return false;
    }
  }
  return true;
}
