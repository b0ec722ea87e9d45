import type { CallContext } from '@claviger/service-kit';
import type { z } from 'zod';
import type { CallerReads } from '../caller-reads.ts';
import type { Question } from '../question.ts';

/** What a query found. */
export interface Finding {
  /** In plain words, one thing a line. */
  readonly lines: readonly string[];
  /** How many things there are; `lines` may show fewer. */
  readonly total: number;
  /** Said where there is nothing. */
  readonly none: string;
}

export interface QueryContext {
  readonly reads: CallerReads;
  readonly context: CallContext;
}

/** A question about data that the assistant knows how to ask, always as the caller. Nothing of it changes anything. */
export interface Query<A extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly description: string;
  /** A message that leads to it. */
  readonly example: string;
  /** Of the operation that it rests on. */
  readonly permission: string;
  readonly parameters: A;
  /** Says what the lines are. */
  readonly heading: string;
  /** Arguments, when the message asks for this; else undefined. */
  match(question: Question): z.input<A> | undefined;
  run(args: z.output<A>, from: QueryContext): Promise<Finding>;
}

/** Lets parameters and `run` agree. */
export function defineQuery<A extends z.ZodObject>(query: Query<A>): Query {
  return query as unknown as Query;
}

/** More is not shown. */
export const SHOWN = 20;
