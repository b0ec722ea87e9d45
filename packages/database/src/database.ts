import { ClavigerError } from '@claviger/errors';
import { Pool } from '@claviger/postgres-client';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import type { CompiledQuery, Kysely } from 'kysely';
import pg from 'pg';
import { kyselyOn } from './client-dialect.ts';
import { createGroupCommit } from './group-commit.ts';
import { isConnectionSpoilt, shownError, sqlState } from './outage.ts';
import { corked, SET_TENANT, singleRoundTrip } from './single-round-trip.ts';

// Counts and sequence numbers are int8; ours are safe integers.
pg.types.setTypeParser(pg.types.builtins.INT8, (value) => Number(value));

export interface DatabaseOptions {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly schema: string;
  readonly user: string;
  readonly password: string;
  readonly systemUser: string;
  readonly systemPassword: string;
  readonly poolSize: number;
  readonly applicationName: string;
  readonly timeouts?: Timeouts;
  /**
   * For reports and exports: each statement is planned for its values. A generic plan would sort all
   * remaining rows for each page.
   */
  readonly plansByValues?: boolean;
}

/** Time-outs of a transaction. Defaults: 3 seconds for a connection, 2 for a lock, 5 for a statement. */
export interface Timeouts {
  readonly connectMs?: number;
  readonly lockMs?: number;
  readonly statementMs?: number;
}

/** Queries only. */
export type Reader<DB> = Pick<Kysely<DB>, 'selectFrom' | 'with' | 'fn' | 'dynamic' | 'getExecutor'>;

/** Writes are only possible here, inside the callback of withTenant; afterwards it throws. */
export type Tx<DB> = Reader<DB> & Pick<Kysely<DB>, 'insertInto' | 'updateTable' | 'deleteFrom' | 'mergeInto'>;

export interface Database<DB> {
  /**
   * Runs one read-write transaction that only sees and writes rows of this tenant. Rolls back when `work`
   * throws.
   */
  withTenant<T>(tenantId: string, work: (tx: Tx<DB>) => Promise<T>): Promise<T>;
  /** Runs one read-only transaction that only sees rows of this tenant. */
  readTenant<T>(tenantId: string, work: (reader: Reader<DB>) => Promise<T>): Promise<T>;
  /** Runs a transaction of the system role, for duties across tenants. Its grants limit what it may do. */
  system<T>(work: (tx: Tx<DB>) => Promise<T>): Promise<T>;
  /**
   * Runs one query of the system role and resolves to its rows. A single statement needs no transaction, so
   * this takes a third of the statements of `system`; it is for duties that often look for work.
   */
  systemQuery<R>(query: (reader: Reader<DB>) => CompiledQuery<R>): Promise<R[]>;
  /**
   * Runs a read-only transaction of the system role that counts or lists across tenants. In contrast to
   * `system`, the planner may scan whole tables and use hash joins.
   */
  acrossTenants<T>(work: (reader: Reader<DB>) => Promise<T>): Promise<T>;
  /**
   * Runs a transaction in a single round trip: begin, tenant, statements, commit. Resolves after the commit.
   * If a statement fails, all are rolled back and the first error is thrown.
   */
  singleRoundTrip(tenantId: string, queries: readonly CompiledQuery[]): Promise<pg.QueryResult[]>;
  /**
   * Runs a transaction of one statement that may share its commit with concurrent ones of any tenant (group
   * commit). If a group fails, its statements are run again one by one. Resolves after the commit. `orderKey`
   * identifies the locked rows, so that all groups lock in the same order.
   */
  groupCommit(tenantId: string, query: CompiledQuery, orderKey: string): Promise<pg.QueryResult>;
  /** Throws when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const STATEMENT_TIMEOUT_MS = 5_000;
const LOCK_TIMEOUT_MS = 2_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 3_000;
const BEGIN_READ = 'BEGIN READ ONLY';
const BY_VALUES = '-c plan_cache_mode=force_custom_plan';
const BY_INDEX_ONLY = [
  '-c enable_seqscan=off',
  '-c enable_hashjoin=off',
  '-c enable_mergejoin=off',
  BY_VALUES,
];

/** Overrides `BY_INDEX_ONLY` for one transaction. */
const BY_ANY_PLAN = {
  name: 'by-any-plan',
  text: "SELECT set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true)",
};

const tracer = trace.getTracer('claviger');

/** Opens the pools of one service. Connections are opened on demand. */
export function createDatabase<DB>(options: DatabaseOptions): Database<DB> {
  const {
    connectMs = CONNECT_TIMEOUT_MS,
    lockMs = LOCK_TIMEOUT_MS,
    statementMs = STATEMENT_TIMEOUT_MS,
  } = options.timeouts ?? {};
  const pool = (user: string, password: string, max: number, settings: readonly string[] = []): Pool => {
    const made = new Pool({
      host: options.host,
      port: options.port,
      database: options.name,
      user,
      password,
      max,
      application_name: options.applicationName,
      connectionTimeoutMillis: connectMs,
      // The statements of a transaction are sent without waiting for earlier answers.
      pipeline: true,
      options: [
        `-c search_path=${options.schema}`,
        `-c statement_timeout=${statementMs}`,
        `-c lock_timeout=${lockMs}`,
        `-c idle_in_transaction_session_timeout=${IDLE_IN_TRANSACTION_TIMEOUT_MS}`,
        '-c synchronous_commit=on',
        ...settings,
      ].join(' '),
    });
    // The pool drops a broken idle connection; the next use opens another.
    made.on('error', () => {});
    // If a connection breaks while its transaction is idle, the next query fails. Without a listener, the
    // event would end the process.
    made.on('connect', (client) => client.on('error', () => {}));
    return made;
  };
  const tenantPool = pool(
    options.user,
    options.password,
    options.poolSize,
    options.plansByValues ? [BY_VALUES] : [],
  );
  const grouped = createGroupCommit(() => connect(tenantPool));
  // Duties look up few rows by index. A plan that was made while a table was small is cached by its
  // connection and would later scan the whole table.
  const systemPool = pool(options.systemUser, options.systemPassword, 4, BY_INDEX_ONLY);

  const transact = async <T>(
    from: Pool,
    begin: string,
    setting: pg.QueryConfig | undefined,
    work: (tx: Tx<DB>) => Promise<T>,
  ): Promise<T> => {
    const client = await connect(from);
    const { kysely, close } = kyselyOn<DB>(client);
    try {
      const opened = corked(client, () => [client.query(begin), ...(setting ? [client.query(setting)] : [])]);
      // A failure also fails the following statements; without a handler it would end the process.
      for (const step of opened) step.catch(() => {});
      const result = await work(kysely as unknown as Tx<DB>);
      await Promise.all(opened);
      close();
      await commit(client);
      client.release();
      return result;
    } catch (error) {
      close();
      await abandon(client, error);
      // A write in a read-only transaction is a defect; elsewhere, 25006 means that the server is read-only.
      throw begin === BEGIN_READ && sqlState(error) === '25006' ? error : shownError(error);
    }
  };

  const span = <T>(name: string, work: () => Promise<T>): Promise<T> =>
    tracer.startActiveSpan(
      name,
      { attributes: { 'db.system.name': 'postgresql', 'db.namespace': options.schema } },
      async (active) => {
        try {
          return await work();
        } catch (error) {
          active.setStatus({ code: SpanStatusCode.ERROR });
          throw error;
        } finally {
          active.end();
        }
      },
    );

  return {
    withTenant: (tenantId, work) =>
      span('transaction', () => transact(tenantPool, 'BEGIN', ofTenant(tenantId), work)),
    readTenant: (tenantId, work) =>
      span('read transaction', () => transact(tenantPool, BEGIN_READ, ofTenant(tenantId), work)),
    system: (work) => span('system transaction', () => transact(systemPool, 'BEGIN', undefined, work)),
    systemQuery: (query) =>
      span('system query', async () => {
        const client = await connect(systemPool);
        const { kysely, close } = kyselyOn<DB>(client);
        try {
          const { rows } = await kysely.executeQuery(query(kysely));
          client.release();
          return rows;
        } catch (error) {
          client.release(isConnectionSpoilt(error));
          throw shownError(error);
        } finally {
          close();
        }
      }),
    acrossTenants: (work) =>
      span('system read transaction', () => transact(systemPool, BEGIN_READ, BY_ANY_PLAN, work)),
    singleRoundTrip: (tenantId, queries) =>
      span('transaction', () => singleRoundTrip(() => connect(tenantPool), checkedTenant(tenantId), queries)),
    groupCommit: (tenantId, query, orderKey) =>
      span('transaction', () => grouped(checkedTenant(tenantId), query, orderKey)),
    ping: async () => {
      await tenantPool.query('SELECT 1');
    },
    close: async () => {
      await Promise.all([tenantPool.end(), systemPool.end()]);
    },
  };
}

/** A missing tenant is a defect, which must not look like an empty result. */
function checkedTenant(tenantId: string): string {
  if (!UUID.test(tenantId)) throw new Error('A transaction requires the id of a tenant.');
  return tenantId;
}

function ofTenant(tenantId: string): pg.QueryConfig {
  return { ...SET_TENANT, values: [checkedTenant(tenantId)] };
}

async function connect(pool: Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (cause) {
    throw new ClavigerError('unavailable', 'The database cannot be reached.', {
      cause,
      retryAfterSeconds: 1,
    });
  }
}

/** COMMIT of a failed transaction answers ROLLBACK, without an error. */
async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('COMMIT');
  if (command !== 'COMMIT') throw new Error('The transaction was rolled back by the database.');
}

/** Ends the transaction. A connection in an unknown state is destroyed. */
async function abandon(client: pg.PoolClient, error: unknown): Promise<void> {
  try {
    if (isConnectionSpoilt(error)) throw error;
    await client.query('ROLLBACK');
    client.release();
  } catch {
    client.release(true);
  }
}
