import { randomUUID } from 'node:crypto';
import { type ScratchDatabase, startScratchDatabase } from '@claviger/testkit';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createDatabase,
  type Database,
  likeTerm,
  migrate,
  type PageRequest,
  pageOf,
  type SortFields,
} from './index.ts';

interface Schema {
  thing: {
    tenant_id: string;
    id: string;
    name: string | null;
    made_at: Date | null;
    rank: number | null;
    owner: string | null;
  };
}

const TENANT = randomUUID();
const ROWS = 200;
const SORT: SortFields = {
  name: { column: 'name', type: 'text', nullable: true },
  madeAt: { column: 'made_at', type: 'timestamptz', nullable: true },
  rank: { column: 'rank', type: 'int8', nullable: true },
  owner: { column: 'owner', type: 'uuid', nullable: true },
  id: { column: 'id', type: 'uuid' },
};

let scratch: ScratchDatabase;
let database: Database<Schema>;

beforeAll(async () => {
  scratch = await startScratchDatabase();
  const schema = await scratch.createSchema();
  await migrate(schema, [
    {
      name: '0001-thing',
      sql: `CREATE TABLE thing (tenant_id uuid NOT NULL, id uuid NOT NULL, name text, made_at timestamptz, rank bigint, owner uuid, PRIMARY KEY (tenant_id, id)); CALL tenant_table('thing');`,
    },
  ]);
  database = createDatabase<Schema>(schema);
});
afterAll(async () => {
  await database?.close();
  await scratch?.[Symbol.asyncDispose]();
});

const request: PageRequest = { page: undefined, pageSize: undefined, sortBy: '', sortOrder: '', cursor: '' };

function list(changes: Partial<PageRequest>) {
  return database.readTenant(TENANT, (tx) =>
    pageOf({
      request: { ...request, ...changes },
      query: tx.selectFrom('thing').select('id'),
      sort: SORT,
      defaultSort: 'name',
      tieBreaker: { column: 'id', type: 'uuid' },
      total: async () =>
        Number(
          (await tx.selectFrom('thing').select(tx.fn.countAll<number>().as('n')).executeTakeFirstOrThrow()).n,
        ),
      map: (row) => row.id,
    }),
  );
}

async function throughCursors(sortBy: string, sortOrder: string, pageSize: number): Promise<string[]> {
  const ids: string[] = [];
  let cursor = '';
  do {
    const page = await list({ sortBy, sortOrder, pageSize, cursor });
    expect(page.totalItems).toBe(ROWS);
    expect(page.items.length).toBeLessThanOrEqual(pageSize);
    ids.push(...page.items);
    cursor = page.nextCursor ?? '';
  } while (cursor);
  return ids;
}

async function throughPages(sortBy: string, sortOrder: string, pageSize: number): Promise<string[]> {
  const ids: string[] = [];
  for (let page = 1; page <= Math.ceil(ROWS / pageSize); page += 1)
    ids.push(...(await list({ sortBy, sortOrder, pageSize, page })).items);
  return ids;
}

// Few distinct values, so that there are many ties, and texts that a naive comparison gets wrong.
const row = fc.record({
  name: fc.option(fc.constantFrom('a', 'A', 'ä', 'b', '', ' ', '😀', "'; --", 'a\\b', '%', 'zz', '10', '9')),
  made_at: fc.option(fc.integer({ min: 0, max: 6 }).map((n) => `2026-01-01T00:00:00.00000${n}Z`)),
  rank: fc.option(fc.constantFrom(-(2 ** 40), -1, 0, 1, 2, 2 ** 40)),
  owner: fc.option(
    fc.constantFrom('00000000-0000-4000-8000-000000000000', 'ffffffff-ffff-4fff-bfff-ffffffffffff'),
  ),
});

test('cursors and page numbers return the same rows in the same order, each once, for every sort', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: ROWS, maxLength: ROWS }),
      fc.integer({ min: 7, max: 60 }),
      async (rows, pageSize) => {
        await database.withTenant(TENANT, async (tx) => {
          await tx.deleteFrom('thing').execute();
          await tx
            .insertInto('thing')
            .values(
              rows.map((each) => ({
                ...each,
                made_at: each.made_at as unknown as Date,
                tenant_id: TENANT,
                id: randomUUID(),
              })),
            )
            .execute();
        });
        for (const sortBy of Object.keys(SORT)) {
          const ascending = await throughCursors(sortBy, 'asc', pageSize);
          expect(new Set(ascending).size).toBe(ROWS);
          expect(ascending).toEqual(await throughPages(sortBy, 'asc', pageSize));
          expect(await throughCursors(sortBy, 'desc', pageSize)).toEqual(ascending.toReversed());
        }
      },
    ),
    { numRuns: 4 },
  );
});

const invalid = (pointer: string) => ({ reason: 'invalid', fields: [expect.objectContaining({ pointer })] });

test('a list is only sorted by declared names', async () => {
  for (const sortBy of ['__proto__', 'toString', 'constructor', 'made_at', 'id; DROP TABLE thing', 'NAME'])
    await expect(list({ sortBy })).rejects.toMatchObject(invalid('/sortBy'));
});

const cursorOf = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');

test('a cursor that is invalid, of another order, or without a value of the column is a caller error', async () => {
  const id = randomUUID();
  const wrong = [
    'garbage',
    '%%%',
    cursorOf(),
    cursorOf('rank', 'asc', 1, id),
    cursorOf('rank', 'asc', null, id),
    cursorOf('rank', 'asc', '1', id, 'more'),
    cursorOf('name', 'asc', '1', id),
    cursorOf('rank', 'desc', '1', id),
    cursorOf('rank', 'asc', 'x', id),
    cursorOf('rank', 'asc', '99999999999999999999', id),
    cursorOf('rank', 'asc', '1', 'no uuid'),
    cursorOf('rank', 'asc', '1\u0000', id),
    Buffer.from('{"length":4}').toString('base64url'),
    Buffer.from('"text"').toString('base64url'),
  ];
  for (const cursor of wrong)
    await expect(list({ sortBy: 'rank', sortOrder: 'asc', cursor })).rejects.toMatchObject(
      invalid('/cursor'),
    );
  for (const key of ['yesterday-ish', '2026-99-99', '300000-13-45'])
    await expect(
      list({ sortBy: 'madeAt', sortOrder: 'asc', cursor: cursorOf('madeAt', 'asc', key, id) }),
    ).rejects.toMatchObject(invalid('/cursor'));
});

test('the contents of a forged cursor are values, never statements', async () => {
  const cursor = cursorOf('name', 'asc', "'); DROP TABLE thing; --", randomUUID());
  expect((await list({ sortBy: 'name', sortOrder: 'asc', cursor })).totalItems).toBe(ROWS);
});

test('a cursor and a page number exclude each other', async () => {
  const { nextCursor } = await list({ pageSize: 5 });
  await expect(list({ pageSize: 5, page: 2, cursor: nextCursor! })).rejects.toMatchObject(invalid('/cursor'));
});

test('the error for a page that is too deep points to the cursor', async () => {
  await expect(list({ page: 1_000, pageSize: 100 })).rejects.toMatchObject({
    ...invalid('/page'),
    hint: expect.stringContaining('nextCursor'),
  });
});

test('the last page has no next cursor, and a page past the end is empty', async () => {
  const last = await list({ page: 2, pageSize: ROWS / 2 });
  expect([last.items.length, last.nextCursor, last.totalPages]).toEqual([ROWS / 2, undefined, 2]);
  expect((await list({ page: 50, pageSize: 100 })).items).toEqual([]);
});

test('wildcards in a search term are escaped', async () => {
  for (const [text, term, expected] of [
    ['100%', '0%', true],
    ['100', '0%', false],
    ['a_b', 'A_B', true],
    ['axb', 'a_b', false],
    ['a\\b', '\\', true],
  ] as const) {
    const found = await database.readTenant(TENANT, async (tx) => {
      const { rows } = await sql<{
        yes: boolean;
      }>`SELECT ${text}::text ILIKE ${likeTerm(term)} AS yes`.execute(tx as never);
      return rows[0]!.yes;
    });
    expect([text, term, found]).toEqual([text, term, expected]);
  }
});
