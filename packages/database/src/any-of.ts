import { type RawBuilder, sql } from 'kysely';

/** The PostgreSQL type of the compared column. */
export type ListType = 'uuid' | 'text' | 'bigint';

/**
 * Matches any of these values: `.where('id', '=', anyOf(ids, 'uuid'))`. The list is one parameter, so the
 * statement has the same text for lists of any length; with `'in', ids`, each connection would prepare one
 * statement per length. An empty list matches nothing.
 */
export function anyOf<T extends string | number>(values: Iterable<T>, type: ListType): RawBuilder<T> {
  return sql<T>`ANY (${[...values]}::${sql.raw(type)}[])`;
}

/**
 * Matches none of these values: `.where('id', '<>', noneOf(ids, 'uuid'))`. An empty list matches everything.
 */
export function noneOf<T extends string | number>(values: Iterable<T>, type: ListType): RawBuilder<T> {
  return sql<T>`ALL (${[...values]}::${sql.raw(type)}[])`;
}
