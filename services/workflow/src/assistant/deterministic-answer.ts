import type { DocsHit, DocsIndex } from '@claviger/docs-search';
import type { Source } from './assistant-tables.ts';
import { byHand } from './by-hand.ts';
import { plainText } from './plain-text.ts';
import { queries } from './queries/queries.ts';
import type { QueryContext } from './queries/query.ts';
import { type Ran, runQuery } from './queries/run-query.ts';
import { type Question, questionOf } from './question.ts';

export interface Answer {
  readonly text: string;
  readonly used: readonly Source[];
}

/** A section must contain at least this share of the words of the question to be quoted. */
const MIN_COVERAGE = 0.6;
const QUOTE_LENGTH = 1_200;
const SECTIONS = 2;
const QUERIES = 2;

/** Answers by rule: the same question, with the same data and permissions, has the same answer. */
export async function deterministicAnswer(
  message: string,
  docs: DocsIndex,
  from: QueryContext,
): Promise<Answer> {
  const question = questionOf(message);
  const way = byHand(question);
  const asked = way ? [] : matching(question);
  const ran: Ran[] = [];
  for (const { query, args } of asked) ran.push(await runQuery(query, args, from));
  const hits = way || ran.length === 0 || explains(question) ? quoted(docs, message) : [];
  const parts = [
    ...(way ? [way.join('\n')] : []),
    ...ran.map((each, index) => partOf(each, asked[index]!.query.heading)),
    ...hits.map(({ section }) => `From docs/${section.file}, "${section.heading}":\n${quote(section.text)}`),
  ];
  if (parts.length === 0) parts.push(nothingFound());
  return {
    text: plainText(parts.join('\n\n')),
    used: [...ran.map(({ source }) => source), ...hits.map(documentSource)],
  };
}

/** The list of possible questions, as text. */
export function whatCanBeAsked(): string {
  return queries.map(({ example, description }) => `- ${example} (${description})`).join('\n');
}

export function documentSource({ section }: DocsHit): Source {
  return {
    kind: 'document',
    name: `docs/${section.file}: ${section.heading}`,
    arguments: {},
    items: 1,
    problem: '',
  };
}

/** The best matching sections of the documentation; empty if none covers most of the question. */
export function quoted(docs: DocsIndex, message: string): DocsHit[] {
  const [best, ...others] = docs.search(message, SECTIONS).filter(({ coverage }) => coverage >= MIN_COVERAGE);
  return best ? [best, ...others.filter(({ score }) => score > best.score * 0.7)] : [];
}

function matching(question: Question) {
  return queries
    .flatMap((query) => {
      const args = query.match(question);
      return args === undefined ? [] : [{ query, args }];
    })
    .slice(0, QUERIES);
}

function explains({ text }: Question): boolean {
  return /\b(?:how (?:do|does|can|to|is|are)|what (?:is|are|does)|why|explain|mean)\b/.test(text);
}

function partOf({ source, finding }: Ran, heading: string): string {
  if (!finding) return `${heading}: ${source.problem}.`;
  if (finding.lines.length === 0) return finding.none;
  const more = finding.total - finding.lines.length;
  const rest = source.items > 1 && more > 0 ? [`and ${more} more`] : [];
  return [`${heading}:`, ...[...finding.lines, ...rest].map((line) => `- ${line}`)].join('\n');
}

function quote(text: string): string {
  if (text.length <= QUOTE_LENGTH) return text;
  const cut = text.slice(0, QUOTE_LENGTH);
  const end = Math.max(cut.lastIndexOf('\n\n'), cut.lastIndexOf('. ') + 1);
  return `${cut.slice(0, end > QUOTE_LENGTH / 2 ? end : QUOTE_LENGTH).trimEnd()}\n…`;
}

function nothingFound(): string {
  return `No answer was found in the documentation. These questions about data can be answered:\n${whatCanBeAsked()}`;
}
