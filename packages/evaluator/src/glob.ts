/** A rule with a longer pattern, or with more wildcards, is refused when it is written. */
export const MAX_GLOB_LENGTH = 512;
export const MAX_GLOB_WILDCARDS = 32;

/** Counts the machine words that a match touched, so that a test can bound the work without a clock. */
export interface StepCount {
  steps: number;
}

export interface Glob {
  readonly pattern: string;
  /** The literal prefix of every match: the pattern up to its first wildcard. */
  readonly prefix: string;
  /** The literal suffix of every match. */
  readonly suffix: string;
  matches(text: string, count?: StepCount): boolean;
}

/**
 * `*` matches any sequence of UTF-16 units, also an empty one and across separators; `?` matches exactly one.
 * All other characters match themselves: there are no classes, braces or extglob. Case matters: fold both
 * sides first.
 *
 * A set of bits holds all positions of the pattern that the text can have reached, so the work is always
 * (length of the text) × ⌈(length of the pattern + 1) / 32⌉ words, without backtracking.
 */
export function compileGlob(pattern: string): Glob {
  const { prefix, suffix } = globParts(pattern);
  if (prefix === pattern) {
    return {
      pattern,
      prefix,
      suffix,
      matches(text, count) {
        if (count) count.steps += text.length;
        return text === pattern;
      },
    };
  }
  const probe = probeOf(pattern);
  // Most patterns are excluded by the probe alone.
  let machine: Machine | undefined;
  return {
    pattern,
    prefix,
    suffix,
    matches(text, count) {
      if (!text.startsWith(prefix) || !text.endsWith(suffix)) return false;
      if (count) count.steps += text.length >>> PROBE_SHARE;
      if (!text.includes(probe)) return false;
      machine ??= machineOf(pattern);
      return run(machine, text, count);
    },
  };
}

/** The literal prefix and suffix of every match; both are the pattern if it has no wildcard. */
export function globParts(pattern: string): Pick<Glob, 'pattern' | 'prefix' | 'suffix'> {
  const first = pattern.search(/[*?]/);
  const last = Math.max(pattern.lastIndexOf('*'), pattern.lastIndexOf('?'));
  return { pattern, prefix: first < 0 ? pattern : pattern.slice(0, first), suffix: pattern.slice(last + 1) };
}

/** The literal text searched first. It is short, so that the search is linear for any content. */
const MAX_PROBE = 7;
/** A search passes about eight units in the time of one machine word. */
const PROBE_SHARE = 3;

/** A literal part of every match. */
function probeOf(pattern: string): string {
  const runs = pattern.split(/[*?]+/);
  return runs.reduce((a, b) => (b.length > a.length ? b : a)).slice(-MAX_PROBE);
}

interface Machine {
  readonly words: number;
  readonly tokens: number;
  /** Bit i: after i tokens any unit may follow without progress (there is a `*` here). */
  readonly loops: Uint32Array;
  /** Per unit of the alphabet, bit i: token i accepts it. */
  readonly accepts: ReadonlyMap<number, Uint32Array>;
  /** The same for units that are not in the pattern: only `?` accepts them. */
  readonly acceptsOther: Uint32Array;
}

function machineOf(pattern: string): Machine {
  const tokens: number[] = [];
  const starsAfter = new Set<number>();
  for (let at = 0; at < pattern.length; at++) {
    if (pattern[at] === '*') starsAfter.add(tokens.length);
    else tokens.push(pattern[at] === '?' ? -1 : pattern.charCodeAt(at));
  }
  const words = Math.ceil((tokens.length + 1) / 32);
  const loops = new Uint32Array(words);
  for (const bit of starsAfter) set(loops, bit);
  const acceptsOther = new Uint32Array(words);
  tokens.forEach((token, bit) => {
    if (token < 0) set(acceptsOther, bit);
  });
  const accepts = new Map<number, Uint32Array>();
  tokens.forEach((token, bit) => {
    if (token < 0) return;
    let mask = accepts.get(token);
    if (!mask) {
      mask = acceptsOther.slice();
      accepts.set(token, mask);
    }
    set(mask, bit);
  });
  return { words, tokens: tokens.length, loops, accepts, acceptsOther };
}

function set(bits: Uint32Array, bit: number): void {
  bits[bit >>> 5] = bits[bit >>> 5]! | (1 << (bit & 31));
}

function run(machine: Machine, text: string, count: StepCount | undefined): boolean {
  const { words, loops, accepts, acceptsOther, tokens } = machine;
  const reached = new Uint32Array(words);
  reached[0] = 1;
  for (let at = 0; at < text.length; at++) {
    const mask = accepts.get(text.charCodeAt(at)) ?? acceptsOther;
    let carry = 0;
    let alive = 0;
    for (let word = 0; word < words; word++) {
      const here = reached[word]!;
      const advanced = here & mask[word]!;
      const next = (advanced << 1) | carry | (here & loops[word]!);
      carry = advanced >>> 31;
      reached[word] = next;
      alive |= next;
    }
    if (count) count.steps += words;
    if (alive === 0) return false;
  }
  return (reached[tokens >>> 5]! & (1 << (tokens & 31))) !== 0;
}
