import { fileNameOf, parentOf } from './criteria.ts';
import type { FactName } from './facts.ts';
import { compilePathGlob } from './path-glob.ts';
import { type Known, type PreparedFacts, Unresolved } from './prepared-facts.ts';
import { type Criteria, given } from './rule.ts';
import { foldCase } from './windows-path.ts';

/** What the index needs of an entry; `order` is its place among all. */
export interface Indexed {
  readonly order: number;
  readonly criteria: Criteria;
}

/** Where a rule can be found: a fact and the value that it must have. */
interface Key {
  readonly fact: FactName;
  readonly key: string;
}

/** Finds the rules that could match without asking each. Every rule lies in one place: the least crowded of its keys. */
export interface RuleIndex<T extends Indexed> {
  /**
   * The lists, each in order, that together hold every rule that might match these facts, or might for all that is known:
   * what is in none of them fails for certain.
   */
  candidates(facts: PreparedFacts): readonly (readonly T[])[];
}

export function buildIndex<T extends Indexed>(rules: readonly T[]): RuleIndex<T> {
  const crowd = new Map<string, number>();
  const keys = rules.map((rule) => keysOf(rule.criteria));
  for (const { key } of keys.flat()) crowd.set(key, (crowd.get(key) ?? 0) + 1);
  const buckets = new Map<string, T[]>();
  const byFact = new Map<FactName, T[]>();
  const rest: T[] = [];
  rules.forEach((rule, position) => {
    let best: Key | undefined;
    for (const key of keys[position]!) {
      if (!best || crowd.get(key.key)! < crowd.get(best.key)!) best = key;
    }
    if (!best) {
      rest.push(rule);
      return;
    }
    push(buckets, best.key, rule);
    push(byFact, best.fact, rule);
  });
  return {
    candidates(facts) {
      const lists: (readonly T[])[] = rest.length > 0 ? [rest] : [];
      for (const fact of byFact.keys()) {
        const found = facts[fact as LookedUp];
        if (found instanceof Unresolved) lists.push(byFact.get(fact)!);
        else if (found !== null) {
          for (const key of LOOKUPS[fact as LookedUp](found as never)) {
            const bucket = buckets.get(key);
            if (bucket) lists.push(bucket);
          }
        }
      }
      return lists;
    },
  };
}

function push<K, T>(lists: Map<K, T[]>, key: K, value: T): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

/** Every value under which a matching request could be looked up. */
function keysOf(criteria: Criteria): Key[] {
  const keys: Key[] = [];
  const add = (fact: FactName, key: string): void => {
    keys.push({ fact, key });
  };
  if (given(criteria.matchHash)) add('hash', `hash:${criteria.matchHash.toLowerCase()}`);
  if (given(criteria.matchToolName)) add('toolName', `tool:${criteria.matchToolName}`);
  if (given(criteria.matchResourceId) && criteria.matchResourceId !== '*')
    add('resourceId', `resource:${criteria.matchResourceId.toLowerCase()}`);
  if (given(criteria.matchSigner)) add('signer', `signer:${criteria.matchSigner}`);
  if (given(criteria.matchPathGlob)) {
    const { pattern, prefix, suffix } = compilePathGlob(criteria.matchPathGlob);
    if (prefix === pattern) add('path', `path:${pattern}`);
    else {
      if (suffix.includes('\\')) add('path', `file:${fileNameOf(suffix)}`);
      if (prefix.includes('\\')) add('path', `folder:${prefix.slice(0, prefix.lastIndexOf('\\') + 1)}`);
    }
  }
  if (given(criteria.matchParentImage))
    add('parentImage', `parent:${fileNameOf(parentOf(criteria.matchParentImage).name)}`);
  if (given(criteria.matchUser)) add('username', `user:${foldCase(criteria.matchUser)}`);
  if (given(criteria.matchAdGroup)) add('groups', `group:${foldCase(criteria.matchAdGroup)}`);
  if (given(criteria.siteId)) add('siteId', `site:${criteria.siteId.toLowerCase()}`);
  if (given(criteria.matchRiskTier)) add('riskTier', `tier:${criteria.matchRiskTier}`);
  return keys;
}

type LookedUp =
  | 'hash'
  | 'toolName'
  | 'resourceId'
  | 'signer'
  | 'path'
  | 'parentImage'
  | 'username'
  | 'groups'
  | 'siteId'
  | 'riskTier';

type Lookups = {
  readonly [F in LookedUp]: (
    value: PreparedFacts[F] extends Known<infer V> ? Exclude<V, Unresolved | null> : never,
  ) => string[];
};

const LOOKUPS: Lookups = {
  hash: (value) => [`hash:${value}`],
  toolName: (value) => [`tool:${value}`],
  resourceId: (value) => [`resource:${value}`],
  signer: (value) => [`signer:${value}`],
  path: (value) => [`path:${value}`, `file:${fileNameOf(value)}`, ...foldersOf(value)],
  parentImage: (value) => [`parent:${fileNameOf(value)}`],
  username: (value) => [`user:${value}`],
  groups: (value) => [...value].map((group) => `group:${group}`),
  siteId: (value) => [`site:${value}`],
  riskTier: (value) => [`tier:${value}`],
};

/** `\\SERVER\SHARE\A\B` lies in `\`, `\\`, `\\SERVER\`, …: wherever a pattern may break off. */
function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let at = path.indexOf('\\'); at >= 0; at = path.indexOf('\\', at + 1))
    folders.push(`folder:${path.slice(0, at + 1)}`);
  return folders;
}

/** Walks several ordered lists as one. */
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
