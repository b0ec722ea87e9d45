import { type ClavigerError, isClavigerError } from '@claviger/errors';
import type { Source } from '../assistant-tables.ts';
import type { Finding, Query, QueryContext } from './query.ts';

export interface Ran {
  readonly source: Source;
  /** Undefined if the caller may not ask this; `source.problem` gives the reason. */
  readonly finding: Finding | undefined;
}

/**
 * Runs a query with checked arguments. A missing permission or object is reported in the answer. An outage is
 * thrown, so that it never looks like an empty result.
 */
export async function runQuery(query: Query, args: unknown, from: QueryContext): Promise<Ran> {
  const parsed = query.parameters.safeParse(args);
  if (!parsed.success) {
    const problem = parsed.error.issues
      .map(({ path, message }) => `${path.join('.')}: ${message}`)
      .join('; ');
    return { source: sourceOf(query, {}, 0, `the arguments are not valid: ${problem}`), finding: undefined };
  }
  try {
    const finding = await query.run(parsed.data, from);
    return { source: sourceOf(query, parsed.data, finding.total, ''), finding };
  } catch (error) {
    if (!isClavigerError(error) || !mayBeTold(error)) throw error;
    return { source: sourceOf(query, parsed.data, 0, problemOf(error)), finding: undefined };
  }
}

function mayBeTold({ reason }: ClavigerError): boolean {
  return reason === 'denied' || reason === 'not_found' || reason === 'invalid';
}

function problemOf(error: ClavigerError): string {
  return error.reason === 'not_found' ? 'it does not exist, or you may not see it' : error.message;
}

function sourceOf(query: Query, args: object, items: number, problem: string): Source {
  const named = Object.entries(args).filter(([, value]) => value !== undefined && value !== '');
  return {
    kind: 'query',
    name: query.name,
    arguments: Object.fromEntries(named.map(([key, value]) => [key, String(value)])),
    items,
    problem,
  };
}
