import type { CallContext } from '@claviger/service-kit';
import type { z } from 'zod';
import type { CallerReads } from '../caller-reads.ts';
import type { Question } from '../question.ts';

/** The result of a query. */
export interface Finding {
  /** Plain text, one item per line. */
  readonly lines: readonly string[];
  /** Number of items; `lines` may contain fewer. */
  readonly total: number;
  /** The text for an empty result. */
  readonly none: string;
}

export interface QueryContext {
  readonly reads: CallerReads;
  readonly context: CallContext;
}

/** A question about data that the assistant can answer, always as the caller. It changes nothing. */
export interface Query<A extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly description: string;
  /** A message that selects this query. */
  readonly example: string;
  /** Permission of the operation behind it. */
  readonly permission: string;
  readonly parameters: A;
  /** Describes the lines. */
  readonly heading: string;
  /** Returns the arguments if the message asks this question, else undefined. */
  match(question: Question): z.input<A> | undefined;
  run(args: z.output<A>, from: QueryContext): Promise<Finding>;
}

/** Makes the types of `parameters` and `run` agree. */
export function defineQuery<A extends z.ZodObject>(query: Query<A>): Query {
  return query as unknown as Query;
}

/** Maximum number of lines in an answer. */
export const SHOWN = 20;
