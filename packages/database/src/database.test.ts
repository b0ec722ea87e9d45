import { randomUUID } from 'node:crypto';
import { type ScratchSchema, type ScratchServer, startScratchServer } from '@claviger/testkit';
import { type CompiledQuery, type Generated, sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anyOf, createDatabase, type Database, listen, migrate, noneOf, type Tx } from './index.ts';

interface Schema {
  note: { tenant_id: string; id: string; body: string; data: Generated<unknown> };
  due: { tenant_id: string; id: string; hidden: string };
}

const T1 = randomUUID();
const T2 = randomUUID();

let scratch: ScratchServer;
let schema: ScratchSchema;
let database: Database<Schema>;

beforeAll(async () => {
  scratch = await startScratchServer();
  schema = await scratch.createSchema();
  await migrate(schema, [
    {
      name: '0001-notes',
      sql: `
        CREATE TABLE note (tenant_id uuid NOT NULL, id uuid NOT NULL, body text NOT NULL, data jsonb,
          PRIMARY KEY (tenant_id, id), UNIQUE (tenant_id, body));
        CALL tenant_table('note');
        CREATE TABLE due (tenant_id uuid NOT NULL, id uuid NOT NULL, hidden text NOT NULL, PRIMARY KEY (tenant_id, id));
        CALL tenant_table('due');
        CALL system_reads('due');`,
    },
  ]);
  database = createDatabase<Schema>(schema);
});

afterAll(async () => {
  await database?.close();
  await scratch?.[Symbol.asyncDispose]();
});

function insertNote(tx: Tx<Schema>, tenant: string, body: string, id = randomUUID()) {
  return tx
    .insertInto('note')
    .values({ tenant_id: tenant, id, body })
    .returning('id')
    .executeTakeFirstOrThrow();
}

async function bodies(tenant: string): Promise<string[]> {
  const rows = await database.readTenant(tenant, (tx) => tx.selectFrom('note').select('body').execute());
  return rows.map((row) => row.body).sort();
}

/** A database with its own connections. */
async function fresh(poolSize = 4) {
  const applicationName = randomUUID();
  const own = createDatabase<Schema>({ ...schema, poolSize, applicationName });
  return {
    database: own,
    /** The number of its connections that run a statement like this one; ends them if `end` is given. */
    at: async (condition: string, end?: 'end') =>
      (
        await scratch.query(
          `SELECT ${end ? 'pg_terminate_backend(pid)' : '1'} FROM pg_stat_activity
           WHERE application_name = $1 AND ${condition}`,
          [applicationName],
        )
      ).length,
    [Symbol.asyncDispose]: () => own.close(),
  };
}

test('a tenant reads, changes and removes its own rows only', async () => {
  const { id } = await database.withTenant(T1, (tx) => insertNote(tx, T1, 'of the first'));
  await database.withTenant(T2, (tx) => insertNote(tx, T2, 'of the second'));
  expect(await bodies(T1)).toEqual(['of the first']);
  expect(await bodies(T2)).toEqual(['of the second']);
  await database.withTenant(T2, async (tx) => {
    const updated = await tx
      .updateTable('note')
      .set({ body: 'mine now' })
      .where('id', '=', id)
      .executeTakeFirst();
    const deleted = await tx.deleteFrom('note').where('id', '=', id).executeTakeFirst();
    expect([updated.numUpdatedRows, deleted.numDeletedRows]).toEqual([0n, 0n]);
  });
  expect(await bodies(T1)).toEqual(['of the first']);
});

test('a row cannot be inserted for, or moved to, another tenant', async () => {
  await expect(database.withTenant(T1, (tx) => insertNote(tx, T2, 'smuggled'))).rejects.toMatchObject({
    code: '42501',
  });
  const move = database.withTenant(T1, async (tx) => {
    await insertNote(tx, T1, 'to be moved');
    await tx.updateTable('note').set({ tenant_id: T2 }).where('body', '=', 'to be moved').execute();
  });
  await expect(move).rejects.toMatchObject({ code: '42501' });
});

test('the same name may exist in two tenants, and neither learns of the other', async () => {
  await database.withTenant(T1, (tx) => insertNote(tx, T1, 'common name'));
  await database.withTenant(T2, (tx) => insertNote(tx, T2, 'common name'));
});

test('H-111 without a tenant nothing is read or written, and a reused connection has no tenant', async () => {
  await using own = await fresh(1);
  const pids = new Set<number>();
  const look = () =>
    own.database.readTenant(T2, async (tx) => {
      const { rows } = await sql<{ pid: number; tenant: string }>`
        SELECT pg_backend_pid() AS pid, current_setting('app.tenant_id') AS tenant`.execute(tx as never);
      pids.add(rows[0]!.pid);
      return rows[0]!.tenant;
    });
  await own.database.withTenant(T1, async () => {});
  expect(await look()).toBe(T2);
  await own.database.withTenant(T1, () => Promise.reject(new Error('on purpose'))).catch(() => undefined);
  expect(await look()).toBe(T2);
  expect(pids.size).toBe(1);
  for (const tenant of ['', 'all', "'; --", `${T1} `, T1.toUpperCase()]) {
    await expect((async () => own.database.withTenant(tenant, async () => 1))()).rejects.toThrow(
      'requires the id of a tenant',
    );
  }
});

test('a transaction object that outlives its transaction throws', async () => {
  let escaped: Tx<Schema> | undefined;
  await database.withTenant(T1, async (tx) => {
    escaped = tx;
  });
  await expect(insertNote(escaped!, T1, 'too late')).rejects.toThrow('has ended');
  await database
    .withTenant(T1, async (tx) => {
      escaped = tx;
      throw new Error('on purpose');
    })
    .catch(() => undefined);
  await expect(insertNote(escaped!, T1, 'too late')).rejects.toThrow('has ended');
});

test('an error rolls everything back, and the connection stays usable', async () => {
  await using own = await fresh(1);
  for (const spoil of [
    async () => Promise.reject(new Error('on purpose')),
    async (tx: Tx<Schema>) => void (await insertNote(tx, T1, 'twice')),
    async (tx: Tx<Schema>) => void (await sql`SELECT 1/0`.execute(tx as never)),
  ]) {
    const attempt = own.database.withTenant(T1, async (tx) => {
      await insertNote(tx, T1, 'twice');
      await spoil(tx);
    });
    await expect(attempt).rejects.toThrow();
    expect(await bodies(T1)).not.toContain('twice');
    await own.database.withTenant(T1, async () => {});
  }
});

test('a failure that the work catches does not count as a commit', async () => {
  const attempt = database.withTenant(T1, async (tx) => {
    await insertNote(tx, T1, 'swallowed');
    await sql`SELECT 1/0`.execute(tx as never).catch(() => undefined);
  });
  await expect(attempt).rejects.toThrow('rolled back');
  expect(await bodies(T1)).not.toContain('swallowed');
});

test('pipelined statements all fail with the first, without unhandled rejections', async () => {
  const unheard: unknown[] = [];
  const hear = (reason: unknown): void => void unheard.push(reason);
  process.on('unhandledRejection', hear);
  try {
    const attempt = database.withTenant(T1, (tx) =>
      Promise.all([
        insertNote(tx, T1, 'together'),
        sql`SELECT 1/0`.execute(tx as never),
        insertNote(tx, T1, 'together too'),
        tx.selectFrom('note').selectAll().execute(),
      ]),
    );
    await expect(attempt).rejects.toMatchObject({ code: '22012' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(unheard).toEqual([]);
  } finally {
    process.off('unhandledRejection', hear);
  }
  expect(await bodies(T1)).not.toContain('together');
});

test('a read transaction refuses writes', async () => {
  const attempt = database.readTenant(T1, (reader) =>
    insertNote(reader as Tx<Schema>, T1, 'written by a reader'),
  );
  await expect(attempt).rejects.toMatchObject({ code: '25006' });
});

test('the system role reads only what is granted to it, for all tenants', async () => {
  await database.withTenant(T1, (tx) =>
    tx.insertInto('due').values({ tenant_id: T1, id: randomUUID(), hidden: 'x' }).execute(),
  );
  await database.withTenant(T2, (tx) =>
    tx.insertInto('due').values({ tenant_id: T2, id: randomUUID(), hidden: 'x' }).execute(),
  );
  const seen = await database.system((tx) => tx.selectFrom('due').select('tenant_id').execute());
  expect(seen.map((row) => row.tenant_id).sort()).toEqual([T1, T2].sort());
  const refused = { code: '42501' };
  await expect(database.system((tx) => tx.selectFrom('note').selectAll().execute())).rejects.toMatchObject(
    refused,
  );
  await expect(database.system((tx) => tx.deleteFrom('due').execute())).rejects.toMatchObject(refused);
  await expect(database.system((tx) => insertNote(tx, T1, 'x'))).rejects.toMatchObject(refused);
});

test('no role of the service may change the schema or disable its policies', async () => {
  for (const statement of [
    'ALTER TABLE note DISABLE ROW LEVEL SECURITY',
    'CREATE TABLE x (a int)',
    'TRUNCATE note',
    `SET ROLE ${schema.ownerUser}`,
  ]) {
    const attempt = database.withTenant(T1, (tx) => sql.raw(statement).execute(tx as never));
    await expect(attempt).rejects.toMatchObject({ code: '42501' });
  }
  const attempt = database.withTenant(T1, async (tx) => {
    await sql`SET LOCAL row_security = off`.execute(tx as never);
    return tx.selectFrom('note').selectAll().execute();
  });
  await expect(attempt).rejects.toMatchObject({ code: '42501' });
});

async function compiled(body: string, data?: unknown, id = randomUUID()) {
  let query: ReturnType<ReturnType<Tx<Schema>['insertInto']>['compile']> | undefined;
  await database.withTenant(T1, async (tx) => {
    query = tx
      .insertInto('note')
      .values({ tenant_id: T1, id, body, data: data as never })
      .compile();
  });
  return query!;
}

test('a single-round-trip transaction commits all its statements, including repeated ones, and returns their results', async () => {
  const results = await database.singleRoundTrip(T1, [
    await compiled('flown'),
    await compiled('flown too', { a: [1] }),
  ]);
  expect(results.map((result) => result.rowCount)).toEqual([1, 1]);
  expect(await bodies(T1)).toEqual(expect.arrayContaining(['flown', 'flown too']));
});

test('a single-round-trip transaction rolls back when its second statement fails', async () => {
  await using own = await fresh(1);
  const clash = randomUUID();
  const attempt = own.database.singleRoundTrip(T1, [
    await compiled('half', null, clash),
    await compiled('other half', null, clash),
    await compiled('rest'),
  ]);
  await expect(attempt).rejects.toMatchObject({ code: '23505' });
  expect(await bodies(T1)).not.toContain('half');
  expect(await bodies(T1)).not.toContain('rest');
  await own.database.singleRoundTrip(T1, [await compiled('after the failed flight')]);
});

test('a single-round-trip transaction with an unsendable value sends nothing', async () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  for (const value of [circular, { big: 1n }]) {
    const broken = await compiled('unsendable');
    const attempt = database.singleRoundTrip(T1, [
      await compiled('before it'),
      { ...broken, parameters: [...broken.parameters.slice(0, 3), value] },
    ]);
    await expect(attempt).rejects.toThrow(TypeError);
  }
  expect(await bodies(T1)).not.toContain('before it');
});

test('a single-round-trip transaction of another tenant changes nothing', async () => {
  await expect(database.singleRoundTrip(T2, [await compiled('foreign flight')])).rejects.toMatchObject({
    code: '42501',
  });
});

test('concurrent statements share a commit, each as its own tenant and with its own result', async () => {
  const taken = randomUUID();
  await database.singleRoundTrip(T1, [await compiled('grouped 0', null, taken)]);
  const queries = await Promise.all([
    compiled('grouped 1'),
    compiled('grouped 2', null, taken),
    compiled('grouped 3'),
    compiled('grouped unsendable', { big: 1n }),
  ]);
  const foreign = await compiled('grouped foreign');
  const outcomes = await Promise.allSettled([
    ...queries.map((query, index) => database.groupCommit(T1, query, String(index))),
    database.groupCommit(T2, foreign, 'x'),
  ]);
  expect(outcomes.map((each) => each.status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'rejected',
    'rejected',
  ]);
  expect((outcomes[1] as PromiseRejectedResult).reason).toMatchObject({ code: '23505' });
  expect((outcomes[4] as PromiseRejectedResult).reason).toMatchObject({ code: '42501' });
  const all = await bodies(T1);
  expect(all.filter((body) => body.startsWith('grouped'))).toEqual(['grouped 0', 'grouped 1', 'grouped 3']);
});

test('a group is not repeated when it is unknown whether it was committed', async () => {
  await using own = await fresh(4);
  let query: CompiledQuery | undefined;
  await database.withTenant(T1, async (tx) => {
    query =
      sql`WITH slept AS (SELECT pg_sleep(3)) INSERT INTO note (tenant_id, id, body) SELECT ${T1}::uuid, gen_random_uuid(), 'slept ' || gen_random_uuid() FROM slept`.compile(
        tx as never,
      );
  });
  const sent = Array.from({ length: 6 }, (_, n) => own.database.groupCommit(T1, query!, String(n)));
  const settled = Promise.allSettled(sent);
  await expect.poll(() => own.at(`wait_event = 'PgSleep'`)).toBeGreaterThan(0);
  await own.at('true', 'end');
  // Statements that wait for a free connection are sent on a new one, where the same happens to them.
  await expect.poll(() => own.at(`wait_event = 'PgSleep'`, 'end'), { interval: 20 }).toBe(0);
  for (const each of await settled) {
    // On a busy machine the sleep of three seconds may exceed the limit of five.
    if (each.status === 'rejected')
      expect(['unavailable', 'deadline_exceeded']).toContain(each.reason.reason);
  }
  expect((await bodies(T1)).filter((body) => body.startsWith('slept')).length).toBe(
    (await settled).filter((each) => each.status === 'fulfilled').length,
  );
});

test('a connection lost between statements or before the commit is an outage and does not end the process', async () => {
  await using own = await fresh(2);
  const unavailable = { name: 'ClavigerError', reason: 'unavailable' };
  const beforeCommit = own.database.withTenant(T1, async (tx) => {
    await insertNote(tx, T1, 'lost');
    await own.at('true', 'end');
  });
  await expect(beforeCommit).rejects.toMatchObject(unavailable);
  const between = own.database.withTenant(T1, async (tx) => {
    await insertNote(tx, T1, 'lost');
    await own.at('true', 'end');
    await insertNote(tx, T1, 'lost too');
  });
  await expect(between).rejects.toMatchObject(unavailable);
  const during = own.database.withTenant(T1, async (tx) => {
    const sleeping = sql`SELECT pg_sleep(4)`.execute(tx as never);
    sleeping.catch(() => {});
    await expect.poll(() => own.at(`query LIKE '%pg_sleep%'`)).toBe(1);
    await own.at('true', 'end');
    await sleeping;
  });
  await expect(during).rejects.toMatchObject(unavailable);
  expect(await bodies(T1)).not.toContain('lost');
  await own.database.withTenant(T1, (tx) => insertNote(tx, T1, 'served again'));
});

test('idle connections that break are replaced', async () => {
  await using own = await fresh(2);
  await own.database.ping();
  await own.at('true', 'end');
  await expect
    .poll(() =>
      own.database.ping().then(
        () => 'well',
        () => 'not yet',
      ),
    )
    .toBe('well');
});

test('a transaction waits two seconds for a lock, then the caller is told to try again', async () => {
  const { id } = await database.withTenant(T1, (tx) => insertNote(tx, T1, 'contended'));
  await database.withTenant(T1, async (tx) => {
    await tx.selectFrom('note').selectAll().where('id', '=', id).forUpdate().execute();
    const second = database.withTenant(T1, (other) =>
      other.updateTable('note').set({ body: 'won' }).where('id', '=', id).execute(),
    );
    await expect(second).rejects.toMatchObject({ reason: 'unavailable', retryAfterSeconds: 1 });
  });
  await database.withTenant(T1, (tx) =>
    tx.updateTable('note').set({ body: 'won' }).where('id', '=', id).execute(),
  );
});

test('a statement that runs for more than five seconds is cancelled', async () => {
  const attempt = database.readTenant(T1, (tx) => sql`SELECT pg_sleep(20)`.execute(tx as never));
  await expect(attempt).rejects.toMatchObject({ reason: 'deadline_exceeded' });
});

test('adding columns while a service runs leaves no broken connection', async () => {
  await using own = await fresh(1);
  const read = () =>
    own.database.readTenant(T1, (tx) => tx.selectFrom('due').selectAll().where('hidden', '=', 'x').execute());
  await read();
  await scratch.query(`ALTER TABLE ${schema.schema}.due ADD COLUMN later text`);
  await read().catch((error: unknown) => expect(error).toMatchObject({ reason: 'unavailable' }));
  expect(await read()).toHaveLength(1);
});

test('a full pool answers unavailable in time instead of queueing without limit', async () => {
  await using own = await fresh(1);
  await own.database.withTenant(T1, async () => {
    await expect(own.database.withTenant(T1, async () => {})).rejects.toMatchObject({
      reason: 'unavailable',
    });
  });
});

test.each(['53100', '53200', '53400', '57P05', '58030', 'XX001', '25006'])(
  'SQLSTATE %s from the server is an outage, whatever the statement was',
  async (state) => {
    const failing = database.withTenant(T1, (tx) =>
      sql.raw(`DO $$ BEGIN RAISE EXCEPTION 'canary' USING ERRCODE = '${state}'; END $$`).execute(tx),
    );
    await expect(failing).rejects.toMatchObject({ reason: 'unavailable', retryAfterSeconds: 1 });
  },
);

test('a server that becomes read-only is an outage for writes and still answers reads', async () => {
  const set = async (value: 'on' | 'off') => {
    await scratch.query(`ALTER SYSTEM SET default_transaction_read_only = ${value}`);
    await scratch.query('SELECT pg_reload_conf()');
  };
  await using own = await fresh();
  const write = () => own.database.withTenant(T1, (tx) => insertNote(tx, T1, randomUUID()));
  const refused = {
    reason: 'unavailable',
    retryAfterSeconds: 1,
    message: 'The database cannot write: it is read-only or its disk is full.',
  };
  await write();
  const before = await bodies(T1);
  await set('on');
  try {
    // A backend applies the new setting between two statements and still writes until then.
    await expect
      .poll(() =>
        write().then(
          () => undefined,
          (error) => error,
        ),
      )
      .toMatchObject(refused);
    expect((await bodies(T1)).length).toBeGreaterThanOrEqual(before.length);
  } finally {
    await set('off');
  }
  await expect.poll(() => write().then(() => 'stored', String)).toBe('stored');
});

test('libpq variables in the environment affect no connection', async () => {
  const hostile = {
    PGHOST: '127.0.0.1',
    PGPORT: '1',
    PGUSER: 'nobody',
    PGPASSWORD: 'wrong',
    PGDATABASE: 'elsewhere',
    PGSSLMODE: 'require',
    PGSSLNEGOTIATION: 'direct',
    PGOPTIONS: '-c default_transaction_read_only=on',
    PGAPPNAME: 'other',
    PGREPLICATION: 'database',
    PGBINARY: 'true',
    PGCLIENT_ENCODING: 'LATIN1',
    PGCLIENTENCODING: 'LATIN1',
    PGTZ: 'Asia/Tokyo',
    PGDATESTYLE: 'German',
    PGSERVICE: 'elsewhere',
    PGPASSFILE: '/nowhere',
    PGCONNECT_TIMEOUT: '1',
  };
  const settings = ['application_name', 'search_path', 'client_encoding', 'default_transaction_read_only'];
  const asked = sql<Record<string, string>>`SELECT current_user AS "user", current_database() AS "database",
    ${sql.join(settings.map((name) => sql`current_setting(${name}) AS ${sql.ref(name)}`))}`;
  const expected = {
    database: schema.name,
    application_name: 'deaf',
    search_path: schema.schema,
    client_encoding: 'UTF8',
    default_transaction_read_only: 'off',
  };
  const other = await scratch.createSchema();
  Object.assign(process.env, hostile);
  expect(await migrate(other, [])).toEqual([]);
  Object.assign(process.env, hostile);
  await using own = await fresh();
  Object.assign(process.env, hostile);
  const deaf = createDatabase<Schema>({ ...schema, applicationName: 'deaf' });
  try {
    const tenant = await deaf.withTenant(T1, async (tx) => {
      await insertNote(tx, T1, 'deaf');
      return (await asked.execute(tx)).rows;
    });
    expect(tenant).toEqual([{ ...expected, user: schema.user }]);
    // Each connection checks again.
    Object.assign(process.env, hostile);
    const system = await deaf.system(async (tx) => (await asked.execute(tx)).rows);
    expect(system).toEqual([{ ...expected, user: schema.systemUser }]);
    Object.assign(process.env, hostile);
    const heard = Promise.withResolvers<void>();
    await using _listener = listen(schema, 'deaf', { onNotification: () => {}, onConnect: heard.resolve });
    await heard.promise;
    await own.database.ping();
  } finally {
    await deaf.close();
    for (const name of Object.keys(hostile)) delete process.env[name];
  }
});

test('a stopped server is an outage for new and running transactions; afterwards all works again', async () => {
  const unavailable = { reason: 'unavailable', retryAfterSeconds: 1 };
  const lastCompiled = compiled('while away');
  await lastCompiled;
  const middle = database.withTenant(T1, async (tx) => {
    await insertNote(tx, T1, 'in the middle');
    scratch.postgres.kill('SIGKILL');
    await scratch.postgres.stop();
    await insertNote(tx, T1, 'never');
  });
  await expect(middle).rejects.toMatchObject(unavailable);
  await expect(database.withTenant(T1, async () => {})).rejects.toMatchObject(unavailable);
  await expect(database.singleRoundTrip(T1, [])).rejects.toMatchObject(unavailable);
  const query = await lastCompiled;
  const grouped = Array.from({ length: 200 }, (_, n) => database.groupCommit(T1, query, String(n)));
  for (const each of await Promise.allSettled(grouped))
    expect(each).toMatchObject({ status: 'rejected', reason: unavailable });
  await expect(database.ping()).rejects.toThrow();
  await scratch.postgres.start();
  await expect
    .poll(() =>
      database.ping().then(
        () => 'well',
        () => 'not yet',
      ),
    )
    .toBe('well');
  expect(await bodies(T1)).not.toContain('in the middle');
});

test('the system role uses an index for due rows, and any plan when it counts all', async () => {
  await scratch.query(
    `INSERT INTO ${schema.schema}.due SELECT gen_random_uuid(), gen_random_uuid(), 'x' FROM generate_series(1, 2000)`,
  );
  await scratch.query(`ANALYZE ${schema.schema}.due`);
  const plan = sql<{
    'QUERY PLAN': string;
  }>`EXPLAIN SELECT count(a.hidden) FROM due AS a JOIN due AS b USING (tenant_id, id)`;
  const text = (rows: { 'QUERY PLAN': string }[]) => rows.map((row) => row['QUERY PLAN']).join('\n');
  const counting = await database.acrossTenants(async (reader) => text((await plan.execute(reader)).rows));
  expect(counting).toContain('Seq Scan');
  expect(counting).toContain('Hash Join');
  // Also on a connection that counted before.
  for (let turn = 0; turn < 4; turn += 1) {
    const looking = await database.system(async (tx) => text((await plan.execute(tx)).rows));
    expect(looking).toContain('Index');
    expect(looking).not.toMatch(/Seq Scan|Hash Join/);
  }
  const write = database.acrossTenants((reader) => insertNote(reader as Tx<Schema>, T1, 'x'));
  await expect(write).rejects.toMatchObject({ code: '25006' });
});

test('a list is one parameter, so the statement has the same text for all lengths', async () => {
  const ids = await database.withTenant(T1, async (tx) => [
    (await insertNote(tx, T1, 'list 1')).id,
    (await insertNote(tx, T1, 'list 2')).id,
  ]);
  const texts = new Set<string>();
  const read = (some: readonly string[], none = false) =>
    database.readTenant(T1, async (tx) => {
      const query = tx
        .selectFrom('note')
        .select('body')
        .where('body', 'like', 'list %')
        .where('id', none ? '<>' : '=', none ? noneOf(some, 'uuid') : anyOf(some, 'uuid'))
        .orderBy('body');
      if (!none) texts.add(query.compile().sql);
      return (await query.execute()).map((row) => row.body);
    });
  expect(await read(ids)).toEqual(['list 1', 'list 2']);
  expect(await read([ids[1]!])).toEqual(['list 2']);
  expect(await read([])).toEqual([]);
  expect(texts.size).toBe(1);
  expect(await read([ids[0]!], true)).toEqual(['list 2']);
  expect(await read([], true)).toEqual(['list 1', 'list 2']);
});

test('a connection prepares a limited number of statements and runs further ones unprepared', async () => {
  const count = sql<{ n: number }>`SELECT count(*)::int AS n FROM pg_prepared_statements WHERE ${1}::int = 1`;
  const prepared = await database.readTenant(T1, async (reader) => {
    for (let n = 0; n < 1_200; n += 1) {
      const { rows } = await sql<{ n: number }>`SELECT ${n}::int + ${sql.raw(String(n))} AS n`.execute(
        reader,
      );
      expect(rows[0]!.n).toBe(2 * n);
    }
    return (await count.execute(reader)).rows[0]!.n;
  });
  expect(prepared).toBeGreaterThan(500);
  // The statements of the transaction itself are also prepared.
  expect(prepared).toBeLessThanOrEqual(1_002);
});
