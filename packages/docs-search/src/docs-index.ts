import MiniSearch from 'minisearch';
import type { DocsSection } from './sections-of.ts';
import { termsOf } from './terms-of.ts';

export interface DocsHit {
  readonly section: DocsSection;
  /** Relevance; meaningful only in relation to other hits of the same question. */
  readonly score: number;
  /** Share of the question's words that the section contains, weighted by rarity: 0 to 1. */
  readonly coverage: number;
}

export interface DocsIndex {
  readonly documents: number;
  readonly sections: number;
  /** Returns at most `limit` hits, best first; none if no word of the question occurs. */
  search(question: string, limit: number): DocsHit[];
}

/** Weight of a word in the heading and in the title of the page, relative to the text. */
const BOOST = { heading: 5, title: 4 };

/** Ranks sections for questions by BM25. Built once: some hundred sections take milliseconds. */
export function createDocsIndex(sections: readonly DocsSection[]): DocsIndex {
  const index = new MiniSearch<{ id: number } & DocsSection>({
    fields: ['title', 'heading', 'text'],
    // `termsOf` does all processing of words.
    tokenize: termsOf,
    processTerm: (term) => term,
    searchOptions: { boost: BOOST },
  });
  index.addAll(sections.map((section, id) => ({ id, ...section })));
  return {
    documents: new Set(sections.map(({ file }) => file)).size,
    sections: sections.length,
    search: (question, limit) => {
      const found = index.search(question);
      const rarity = rarityIn(found, sections.length);
      const sum = (terms: readonly string[]) => terms.reduce((total, term) => total + rarity(term), 0);
      const whole = sum([...new Set(termsOf(question))]);
      return found
        .map(({ id, score, queryTerms }) => {
          const coverage = sum(queryTerms) / whole;
          // A section with all words of the question ranks above one that repeats some of them.
          return { section: sections[id]!, score: score * (0.5 + coverage / 2), coverage };
        })
        .sort((a, b) => b.score - a.score || compare(a.section, b.section))
        .slice(0, limit);
    },
  };
}

/**
 * Rarity of a term among all sections, as in BM25. `found` has every section that contains a term of the
 * question.
 */
function rarityIn(found: readonly { readonly queryTerms: readonly string[] }[], sections: number) {
  const having = (term: string) => found.filter(({ queryTerms }) => queryTerms.includes(term)).length;
  return (term: string) => Math.log(1 + (sections - having(term) + 0.5) / (having(term) + 0.5));
}

/** A stable order, so that the same question always gives the same result. */
function compare(a: DocsSection, b: DocsSection): number {
  return a.file < b.file ? -1 : a.file > b.file ? 1 : a.heading < b.heading ? -1 : 1;
}
