import { type RawBuilder, sql } from 'kysely';

/** Type of the column that is compared, as PostgreSQL names it. */
export type ListType = 'uuid' | 'text' | 'bigint';

/**
 * One of these values: `.where('id', '=', anyOf(ids, 'uuid'))`. The list is one parameter, so that the statement has one
 * text for lists of any length. `'in', ids` has a text for each length, and each connection prepares every one of them.
 * Nothing is equal to one of none.
 */
export function anyOf<T extends string | number>(values: Iterable<T>, type: ListType): RawBuilder<T> {
  return sql<T>`ANY (${[...values]}::${sql.raw(type)}[])`;
}

/** None of these values: `.where('id', '<>', noneOf(ids, 'uuid'))`. Everything differs from all of none. */
export function noneOf<T extends string | number>(values: Iterable<T>, type: ListType): RawBuilder<T> {
  return sql<T>`ALL (${[...values]}::${sql.raw(type)}[])`;
}
