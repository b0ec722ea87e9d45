import type { DocsSection } from './sections-of.ts';
import { termsOf } from './terms-of.ts';

export interface DocsHit {
  readonly section: DocsSection;
  readonly score: number;
  /** Share of the question's words that the section has, weighed by how rare they are: 0 to 1. */
  readonly coverage: number;
}

export interface DocsIndex {
  readonly documents: number;
  readonly sections: number;
  /** Best first; nothing where no word of the question occurs. */
  search(question: string, limit: number): DocsHit[];
}

/** Of BM25, as usual. */
const SATURATION = 1.2;
const LENGTH_WEIGHT = 0.75;
/** A word in the heading counts as so many in the text; one in the page's title as so many. */
const HEADING_WEIGHT = 5;
const TITLE_WEIGHT = 4;

interface Indexed {
  readonly section: DocsSection;
  readonly counts: ReadonlyMap<string, number>;
  readonly length: number;
}

/** Ranks sections for questions. Made once: some hundred sections take milliseconds. */
export function createDocsIndex(sections: readonly DocsSection[]): DocsIndex {
  const indexed = sections.map(indexedOf);
  const meanLength = indexed.reduce((sum, { length }) => sum + length, 0) / Math.max(1, indexed.length);
  const frequency = new Map<string, number>();
  for (const { counts } of indexed)
    for (const term of counts.keys()) frequency.set(term, (frequency.get(term) ?? 0) + 1);
  const rarity = (term: string): number => {
    const having = frequency.get(term) ?? 0;
    return Math.log(1 + (indexed.length - having + 0.5) / (having + 0.5));
  };
  return {
    documents: new Set(sections.map(({ file }) => file)).size,
    sections: sections.length,
    search: (question, limit) => {
      const terms = [...new Set(termsOf(question))];
      const whole = terms.reduce((sum, term) => sum + rarity(term), 0);
      return indexed
        .map(({ section, counts, length }) => {
          let score = 0;
          let covered = 0;
          for (const term of terms) {
            const count = counts.get(term) ?? 0;
            if (count === 0) continue;
            const damping = SATURATION * (1 - LENGTH_WEIGHT + (LENGTH_WEIGHT * length) / meanLength);
            score += (rarity(term) * count * (SATURATION + 1)) / (count + damping);
            covered += rarity(term);
          }
          const coverage = whole === 0 ? 0 : covered / whole;
          // Who speaks of all that is asked goes before who repeats a part of it.
          return { section, score: score * (0.5 + coverage / 2), coverage };
        })
        .filter(({ score }) => score > 0)
        .sort((a, b) => b.score - a.score || compare(a.section, b.section))
        .slice(0, limit);
    },
  };
}

/** The same order for the same question, always. */
function compare(a: DocsSection, b: DocsSection): number {
  return a.file < b.file ? -1 : a.file > b.file ? 1 : a.heading < b.heading ? -1 : 1;
}

function indexedOf(section: DocsSection): Indexed {
  const counts = new Map<string, number>();
  const add = (text: string, weight: number): void => {
    for (const term of termsOf(text)) counts.set(term, (counts.get(term) ?? 0) + weight);
  };
  add(section.text, 1);
  add(section.heading, HEADING_WEIGHT);
  if (section.title !== section.heading) add(section.title, TITLE_WEIGHT);
  return { section, counts, length: termsOf(section.text).length };
}
