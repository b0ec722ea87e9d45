import { ClavigerError } from '@claviger/errors';
import { type Expression, type ExpressionBuilder, type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import { sqlState } from './outage.ts';

/** Paging fields of every list request. */
export interface PageRequest {
  readonly page?: number | undefined;
  readonly pageSize?: number | undefined;
  readonly sortBy: string;
  readonly sortOrder: string;
  readonly cursor: string;
}

/** Paging fields of every list answer, besides its items. */
export interface PageResponse<T> {
  readonly items: T[];
  readonly page: number;
  readonly pageSize: number;
  readonly totalItems: number;
  readonly totalPages: number;
  readonly nextCursor: string | undefined;
}

/**
 * The fields by which a list can be sorted: API name, column and type. Never contains text from the request.
 */
export type SortFields = Readonly<
  Record<
    string,
    {
      readonly column: string;
      readonly type: 'text' | 'timestamptz' | 'int8' | 'uuid' /** Prevents the use of a plain index. */;
      readonly nullable?: boolean;
    }
  >
>;

export interface PageOptions<DB, TB extends keyof DB, O, T> {
  readonly request: PageRequest;
  /** The filtered rows, without order or limit. */
  readonly query: SelectQueryBuilder<DB, TB, O>;
  readonly sort: SortFields;
  readonly defaultSort: string;
  readonly defaultOrder?: 'asc' | 'desc';
  /** Unique column that breaks ties. */
  readonly tieBreaker: { readonly column: string; readonly type: 'text' | 'uuid' | 'int8' };
  /** Number of filtered rows, if it is known without counting. */
  readonly total?: (() => Promise<number>) | undefined;
  readonly map: (row: O) => T;
}

const DEFAULT_PAGE_SIZE = 25;
const MAX_OFFSET = 10_000;
const KEY = '__page_key';
const TIE = '__page_tie';

/** Returns one page, by number or by cursor, with the next cursor. */
export async function pageOf<DB, TB extends keyof DB, O, T>(
  options: PageOptions<DB, TB, O, T>,
): Promise<PageResponse<T>> {
  const { request, tieBreaker } = options;
  const pageSize = request.pageSize ?? DEFAULT_PAGE_SIZE;
  const page = request.page ?? 1;
  const sortName = request.sortBy || options.defaultSort;
  if (!Object.hasOwn(options.sort, sortName)) {
    throw ClavigerError.invalid('/sortBy', `must be one of ${Object.keys(options.sort).join(', ')}`);
  }
  const field = options.sort[sortName]!;
  const order =
    request.sortOrder === 'asc' || request.sortOrder === 'desc'
      ? request.sortOrder
      : (options.defaultOrder ?? 'asc');
  const column = sql.ref(field.column);
  const tie = sql.ref(tieBreaker.column);
  // Row comparisons do not work with null, so nulls sort as the lowest value of the type.
  const key = sql`coalesce(${column}, ${LOWEST[field.type]})`;
  const sortExpression = field.nullable ? key : column;
  let query = options.query.select([
    sql<string>`${sortExpression}::text`.as(KEY),
    sql<string>`${tie}::text`.as(TIE),
  ]);
  if (request.cursor) {
    if (request.page !== undefined && request.page !== 1)
      throw ClavigerError.invalid('/cursor', 'replaces page: give only one of the two');
    const after = decodeCursor(request.cursor, sortName, order);
    const operator = order === 'asc' ? sql`>` : sql`<`;
    const seek = (_: ExpressionBuilder<DB, TB>): Expression<SqlBool> =>
      sql<SqlBool>`(${sortExpression}, ${tie}) ${operator} (${after.key}::${sql.raw(field.type)}, ${after.tie}::${sql.raw(tieBreaker.type)})`;
    query = query.where(seek as never);
  } else if ((page - 1) * pageSize > MAX_OFFSET) {
    throw new ClavigerError('invalid', 'The request is not valid.', {
      fields: [{ pointer: '/page', detail: `exceeds row ${MAX_OFFSET}` }],
      hint: 'Continue with the nextCursor of the previous page, or narrow the filter.',
    });
  } else {
    query = query.offset((page - 1) * pageSize);
  }
  const direction = sql.raw(order);
  const [rows, totalItems] = await Promise.all([
    query
      .orderBy(sql`${sortExpression} ${direction}, ${tie} ${direction}`)
      .limit(pageSize + 1)
      .execute()
      .catch(blameCursor(request.cursor)) as Promise<(O & { [KEY]: string; [TIE]: string })[]>,
    options.total ? options.total() : countRows(options.query),
  ]);
  const shown = rows.slice(0, pageSize);
  const last = rows.length > pageSize ? shown.at(-1) : undefined;
  return {
    items: shown.map(options.map),
    page,
    pageSize,
    totalItems,
    totalPages: Math.ceil(totalItems / pageSize),
    nextCursor: last && encodeCursor({ sort: sortName, order, key: last[KEY], tie: last[TIE] }),
  };
}

/** Counts the rows of a query without GROUP BY or DISTINCT. */
export async function countRows<DB, TB extends keyof DB, O>(
  query: SelectQueryBuilder<DB, TB, O>,
): Promise<number> {
  const row = await query.clearSelect().select(sql<number>`count(*)`.as('total')).executeTakeFirstOrThrow();
  return (row as { total: number }).total;
}

const LOWEST = {
  text: sql`''`,
  timestamptz: sql`'-infinity'::timestamptz`,
  int8: sql`'-9223372036854775808'::int8`,
  uuid: sql`'00000000-0000-0000-0000-000000000000'::uuid`,
} as const;

interface Cursor {
  sort: string;
  order: string;
  key: string;
  tie: string;
}

function encodeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify([cursor.sort, cursor.order, cursor.key, cursor.tie])).toString(
    'base64url',
  );
}

/**
 * A cursor is only valid for its sort order. Its contents are used as values only, so a forged one reveals
 * nothing.
 */
function decodeCursor(text: string, sort: string, order: string): Cursor {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    parts = undefined;
  }
  if (!Array.isArray(parts) || parts.length !== 4 || !parts.every((part) => typeof part === 'string')) {
    throw notACursor();
  }
  const [cursorSort, cursorOrder, key, tie] = parts as [string, string, string, string];
  if (cursorSort !== sort || cursorOrder !== order || key.includes('\u0000') || tie.includes('\u0000')) {
    throw ClavigerError.invalid(
      '/cursor',
      'belongs to another sort order: keep sortBy and sortOrder unchanged',
    );
  }
  return { sort, order, key, tie };
}

/** Class 22 is a data exception: the cursor's key is not a value of the column's type. */
function blameCursor(cursor: string): (error: unknown) => never {
  return (error) => {
    if (!cursor || !sqlState(error)?.startsWith('22')) throw error;
    throw notACursor();
  };
}

function notACursor(): ClavigerError {
  return ClavigerError.invalid('/cursor', 'is not a cursor: use nextCursor of the previous page, unchanged');
}

/** `%term%` for ILIKE, with the wildcards of the term escaped. */
export function likeTerm(search: string): string {
  return `%${search.replace(/[\\%_]/g, (character) => `\\${character}`)}%`;
}
