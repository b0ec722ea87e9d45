import type { Facts } from './facts.ts';
import type { StepCount } from './glob.ts';
import { unreadable } from './look-alikes.ts';
import { isSha256 } from './validate-criteria.ts';
import { canonicalWindowsPath, foldCase } from './windows-path.ts';

/** An unknown fact and the reason. */
export class Unresolved {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

export type Known<T> = T | null | Unresolved;

/** Facts in the form that rules compare, built once per decision. */
export interface PreparedFacts {
  readonly kind: Facts['kind'];
  readonly atMs: Known<number>;
  readonly siteId: Known<string>;
  readonly subjectUserId: Known<string>;
  readonly otherUserIds: readonly string[];
  /** Null: unknown. */
  readonly deviceUserIds: readonly string[] | null;
  readonly username: Known<string>;
  readonly groups: Known<ReadonlySet<string>>;
  readonly path: Known<string>;
  readonly hash: Known<string>;
  readonly signer: Known<string>;
  readonly parentImage: Known<string>;
  readonly toolName: Known<string>;
  readonly riskTier: Known<number>;
  readonly actionDigest: Known<string>;
  readonly resourceId: Known<string>;
  readonly durationMinutes: Known<number>;
  readonly reason: Known<string>;
  /** The work spent on these facts so far. */
  readonly effort: StepCount;
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/**
 * Makes facts comparable. Stored facts can have wrong types; such a fact counts as unknown. Throws for an
 * unknown kind of request.
 */
export function prepareFacts(facts: Facts): PreparedFacts {
  const raw = facts as unknown as Record<string, unknown>;
  const { kind } = facts;
  if (kind !== 'elevation' && kind !== 'tool' && kind !== 'access')
    throw new TypeError('the facts have no known kind');
  if (kind === 'elevation' && facts.flowType !== 'uac_intercept' && facts.flowType !== 'tech_jit_admin')
    throw new TypeError('the facts have no known flow');
  // Every program has a path, a digest and a parent: if one is missing, it is unknown.
  const program = kind === 'elevation' && facts.flowType === 'uac_intercept';
  const ofProgram = (field: string): Known<string> => (program ? needed(text(raw, field), field) : null);
  const isTool = kind === 'tool';
  return {
    kind,
    atMs: instantOf(raw.at),
    siteId: lower(text(raw, 'siteId')),
    // Only the subject of a prompt can be no user of the product; the requester of all other requests is
    // known.
    subjectUserId:
      kind === 'elevation'
        ? lower(text(raw, 'subjectUserId'))
        : needed(lower(text(raw, 'subjectUserId')), 'subjectUserId'),
    otherUserIds: idsOf(raw.otherUserIds) ?? [],
    deviceUserIds: raw.deviceUserIds === undefined ? [] : idsOf(raw.deviceUserIds),
    username: folded(readable(text(raw, 'username'), 'username')),
    groups: groupsOf(raw.groups),
    path: pathOf(ofProgram('path')),
    hash: digestOf(ofProgram('hash'), 'hash'),
    signer: program ? readable(text(raw, 'signer'), 'signer') : null,
    parentImage: pathOf(ofProgram('parentImage')),
    toolName: isTool ? readable(needed(text(raw, 'toolName'), 'toolName'), 'toolName') : null,
    riskTier: isTool ? needed(number(raw, 'riskTier'), 'riskTier') : null,
    actionDigest: isTool ? digestOf(needed(text(raw, 'actionDigest'), 'actionDigest'), 'actionDigest') : null,
    resourceId: kind === 'access' ? lower(text(raw, 'resourceId')) : null,
    durationMinutes: kind === 'access' ? needed(number(raw, 'durationMinutes'), 'durationMinutes') : null,
    reason: kind === 'access' ? text(raw, 'reason') : null,
    effort: { steps: 0 },
  };
}

/** Null if they are not a list of ids. */
function idsOf(value: unknown): string[] | null {
  if (!Array.isArray(value) || !value.every((id) => typeof id === 'string')) return null;
  return value.map((id) => id.toLowerCase());
}

function text(raw: Record<string, unknown>, field: string): Known<string> {
  const value = raw[field];
  if (value === undefined) return new Unresolved(`${field} is not known`);
  if (value === null) return null;
  if (typeof value !== 'string') return new Unresolved(`${field} is not a text`);
  return value.trim() === '' ? null : value;
}

/** A text that can be confused with another one counts as unknown: no rule may decide by it. */
function readable(value: Known<string>, field: string): Known<string> {
  const why = typeof value === 'string' ? unreadable(value) : undefined;
  return why === undefined ? value : new Unresolved(`${field} ${why}`);
}

function number(raw: Record<string, unknown>, field: string): Known<number> {
  const value = raw[field];
  if (value === undefined) return new Unresolved(`${field} is not known`);
  if (value === null) return null;
  return Number.isInteger(value) ? (value as number) : new Unresolved(`${field} is not a whole number`);
}

function needed<T>(value: Known<T>, field: string): T | Unresolved {
  return value === null ? new Unresolved(`${field} is not known`) : value;
}

function folded(value: Known<string>): Known<string> {
  return typeof value === 'string' ? foldCase(value) : value;
}

function lower(value: Known<string>): Known<string> {
  return typeof value === 'string' ? value.toLowerCase() : value;
}

function digestOf(value: Known<string>, field: string): Known<string> {
  if (typeof value !== 'string') return value;
  return isSha256(value) ? value.toLowerCase() : new Unresolved(`${field} is not a SHA-256 digest`);
}

function pathOf(value: Known<string>): Known<string> {
  if (typeof value !== 'string') return value;
  const canonical = canonicalWindowsPath(value);
  if (canonical.path === undefined) return new Unresolved(canonical.unresolved);
  return readable(canonical.path, 'the path');
}

function instantOf(value: unknown): Known<number> {
  const at = typeof value === 'string' && INSTANT.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? new Unresolved('the instant is not known') : at;
}

function groupsOf(value: unknown): Known<ReadonlySet<string>> {
  if (value === undefined || value === null) return new Unresolved('the groups are not known');
  if (!Array.isArray(value) || !value.every((group) => typeof group === 'string'))
    return new Unresolved('the groups are not a list of names');
  return new Set(value.map(foldCase));
}
