import type { RuleSet } from '@claviger/evaluator';

/** Maximum number of rules in all cached sets; the least recently used set is dropped first. */
const MAX_RULES = 60_000;
const MAX_SETS = 1_000;
/** A load that takes longer is dropped, so that the next decision tries again. */
const LOAD_MS = 5_000;

export interface RuleSetCache {
  /** Returns the set with this key. Concurrent callers share one load; a failed load is not cached. */
  get(key: string, load: () => Promise<RuleSet>): Promise<RuleSet>;
  /** Empties the cache; loads in progress are not cached either. */
  clear(): void;
}

/**
 * A cache of compiled rule sets. A version never changes, so an entry becomes invalid only through a restore
 * of the database.
 */
export function createRuleSetCache(maxRules = MAX_RULES): RuleSetCache {
  const kept = new Map<string, RuleSet>();
  const loading = new Map<string, Promise<RuleSet>>();
  let rules = 0;
  let cleared = 0;

  const keep = (key: string, set: RuleSet): void => {
    const weight = weightOf(set);
    // A set above the limit is not cached, because it would displace all others.
    if (weight > maxRules || kept.has(key)) return;
    kept.set(key, set);
    rules += weight;
    for (const [oldest, dropped] of kept) {
      if (rules <= maxRules && kept.size <= MAX_SETS) break;
      kept.delete(oldest);
      rules -= weightOf(dropped);
    }
  };

  return {
    get(key, load) {
      const found = kept.get(key);
      if (found) {
        // The most recently used set is last.
        kept.delete(key);
        kept.set(key, found);
        return Promise.resolve(found);
      }
      const under = loading.get(key);
      if (under) return under;
      const before = cleared;
      const started = load().then((set) => {
        if (cleared === before) keep(key, set);
        return set;
      });
      const forget = (): void => {
        clearTimeout(timer);
        if (loading.get(key) === started) loading.delete(key);
      };
      const timer = setTimeout(forget, LOAD_MS);
      timer.unref();
      loading.set(key, started);
      started.then(forget, forget);
      return started;
    },
    clear() {
      kept.clear();
      loading.clear();
      rules = 0;
      cleared += 1;
    },
  };
}

function weightOf(set: RuleSet): number {
  return 1 + set.rules.length + set.softwareEntries.length;
}
