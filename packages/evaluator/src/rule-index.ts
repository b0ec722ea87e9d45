import { fileNameOf, parentOf } from './criteria.ts';
import type { FactName } from './facts.ts';
import { globParts } from './glob.ts';
import type { Work } from './pace.ts';
import { canonicalGlob } from './path-glob.ts';
import { type Known, type PreparedFacts, Unresolved } from './prepared-facts.ts';
import { type Criteria, given } from './rule.ts';
import { foldCase } from './windows-path.ts';

/** The parts of an entry that the index needs; `order` is its place in the evaluation order. */
export interface Indexed {
  readonly order: number;
  readonly criteria: Criteria;
}

type Value = string | number;

/** A section of the index: the fact it uses, and its lookup values. */
interface Place {
  readonly fact: FactName;
  valuesOf(facts: PreparedFacts): readonly Value[] | Unresolved | null;
}

/** A key of a rule: a section and the value that a matching request has there. */
interface Key {
  readonly place: Place;
  readonly value: Value;
}

/**
 * Finds the rules that can match without evaluating each. Every rule is stored under one of its keys, the one
 * with the fewest rules.
 */
export interface RuleIndex<T extends Indexed> {
  /**
   * Ordered lists that together contain every rule that matches these facts or can match with unknown facts.
   * All other rules certainly fail.
   */
  candidates(facts: PreparedFacts): readonly (readonly T[])[];
}

export function* indexing<T extends Indexed>(rules: readonly T[]): Work<RuleIndex<T>> {
  const crowds = new Map<Place, Map<Value, number>>();
  const keys: Key[][] = [];
  for (const { criteria } of rules) {
    const found = keysOf(criteria);
    keys.push(found);
    for (const { place, value } of found) {
      const crowd = drawer(crowds, place);
      crowd.set(value, (crowd.get(value) ?? 0) + 1);
    }
    yield;
  }
  const places = new Map<Place, Map<Value, T[]>>();
  const wholePlaces = new Map<Place, T[]>();
  const rest: T[] = [];
  const crowdOf = ({ place, value }: Key): number => crowds.get(place)!.get(value)!;
  for (const [position, rule] of rules.entries()) {
    let best: Key | undefined;
    for (const key of keys[position]!) if (!best || crowdOf(key) < crowdOf(best)) best = key;
    if (best) {
      push(drawer(places, best.place), best.value, rule);
      push(wholePlaces, best.place, rule);
    } else rest.push(rule);
    yield;
  }
  return {
    candidates(facts) {
      const lists: (readonly T[])[] = rest.length > 0 ? [rest] : [];
      for (const [place, buckets] of places) {
        const values = place.valuesOf(facts);
        if (values === null) continue;
        if (values instanceof Unresolved) {
          lists.push(wholePlaces.get(place)!);
          continue;
        }
        for (const value of values) {
          const bucket = buckets.get(value);
          if (bucket) lists.push(bucket);
        }
      }
      return lists;
    },
  };
}

function drawer<K, V>(drawers: Map<Place, Map<K, V>>, place: Place): Map<K, V> {
  let found = drawers.get(place);
  if (!found) {
    found = new Map();
    drawers.set(place, found);
  }
  return found;
}

function push<K, T>(lists: Map<K, T[]>, key: K, value: T): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

function placeOf<T extends Value | ReadonlySet<string>>(
  fact: FactName,
  read: (facts: PreparedFacts) => Known<T>,
  valuesOf: (value: T) => readonly Value[],
): Place {
  return {
    fact,
    valuesOf(facts) {
      const known = read(facts);
      return known instanceof Unresolved || known === null ? known : valuesOf(known);
    },
  };
}

const HASH = placeOf(
  'hash',
  (facts) => facts.hash,
  (value) => [value],
);
const TOOL = placeOf(
  'toolName',
  (facts) => facts.toolName,
  (value) => [value],
);
const RESOURCE = placeOf(
  'resourceId',
  (facts) => facts.resourceId,
  (value) => [value],
);
const SIGNER = placeOf(
  'signer',
  (facts) => facts.signer,
  (value) => [value],
);
const PATH = placeOf(
  'path',
  (facts) => facts.path,
  (value) => [value],
);
const FILE = placeOf(
  'path',
  (facts) => facts.path,
  (value) => [fileNameOf(value)],
);
const FOLDER = placeOf('path', (facts) => facts.path, foldersOf);
const PARENT = placeOf(
  'parentImage',
  (facts) => facts.parentImage,
  (value) => [fileNameOf(value)],
);
const USER = placeOf(
  'username',
  (facts) => facts.username,
  (value) => [value],
);
const GROUP = placeOf(
  'groups',
  (facts) => facts.groups,
  (value) => [...value],
);
const SITE = placeOf(
  'siteId',
  (facts) => facts.siteId,
  (value) => [value],
);
const TIER = placeOf(
  'riskTier',
  (facts) => facts.riskTier,
  (value) => [value],
);

/** All look-up values of a matching request. */
function keysOf(criteria: Criteria): Key[] {
  const keys: Key[] = [];
  const add = (place: Place, value: Value): void => {
    keys.push({ place, value });
  };
  if (given(criteria.matchHash)) add(HASH, criteria.matchHash.toLowerCase());
  if (given(criteria.matchToolName)) add(TOOL, criteria.matchToolName);
  if (given(criteria.matchResourceId) && criteria.matchResourceId !== '*')
    add(RESOURCE, criteria.matchResourceId.toLowerCase());
  if (given(criteria.matchSigner)) add(SIGNER, criteria.matchSigner);
  if (given(criteria.matchPathGlob)) {
    const { pattern, prefix, suffix } = globParts(canonicalGlob(criteria.matchPathGlob));
    if (prefix === pattern) add(PATH, pattern);
    else {
      if (suffix.includes('\\')) add(FILE, fileNameOf(suffix));
      if (prefix.includes('\\')) add(FOLDER, prefix.slice(0, prefix.lastIndexOf('\\') + 1));
    }
  }
  if (given(criteria.matchParentImage)) add(PARENT, fileNameOf(parentOf(criteria.matchParentImage).name));
  if (given(criteria.matchUser)) add(USER, foldCase(criteria.matchUser));
  if (given(criteria.matchAdGroup)) add(GROUP, foldCase(criteria.matchAdGroup));
  if (given(criteria.siteId)) add(SITE, criteria.siteId.toLowerCase());
  if (given(criteria.matchRiskTier)) add(TIER, criteria.matchRiskTier);
  return keys;
}

/** `\\SERVER\SHARE\A\B` is in `\`, `\\`, `\\SERVER\`, …: all prefixes at which a pattern can end. */
function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let at = path.indexOf('\\'); at >= 0; at = path.indexOf('\\', at + 1))
    folders.push(path.slice(0, at + 1));
  return folders;
}

/** Merges several ordered lists into one. */
export function* inOrder<T extends Indexed>(lists: readonly (readonly T[])[]): Generator<T> {
  if (lists.length === 1) return yield* lists[0]!;
  const places = new Array<number>(lists.length).fill(0);
  for (;;) {
    let next = -1;
    let order = Number.POSITIVE_INFINITY;
    for (let list = 0; list < lists.length; list++) {
      const head = lists[list]![places[list]!];
      if (head && head.order < order) {
        next = list;
        order = head.order;
      }
    }
    if (next < 0) return;
    yield lists[next]![places[next]!]!;
    places[next]!++;
  }
}
