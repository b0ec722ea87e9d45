import { ClavigerError } from '@claviger/errors';
import { Pool } from '@claviger/postgres-client';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import type { CompiledQuery, Kysely } from 'kysely';
import pg from 'pg';
import { kyselyOn } from './client-dialect.ts';
import { flight, SET_TENANT, together } from './flight.ts';
import { createGroupedFlights } from './grouped-flights.ts';
import { isConnectionSpoilt, shownError, sqlState } from './outage.ts';

// Counts and sequence numbers are int8; all of ours are safe integers.
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
  readonly patience?: Patience;
  /**
   * For statements that read much: each is planned by its own values. A plan for all values takes a sort of
   * the whole rest for each page of a long export.
   */
  readonly plansByValues?: boolean;
}

/** How long a transaction is let wait. Whatever is absent: 3 seconds for a connection, 2 for a lock, 5 for a statement. */
export interface Patience {
  readonly connectMs?: number;
  readonly lockMs?: number;
  readonly statementMs?: number;
}

/** Queries only. */
export type Reader<DB> = Pick<Kysely<DB>, 'selectFrom' | 'with' | 'fn' | 'dynamic' | 'getExecutor'>;

/** Writes exist only here, inside the callback of withTenant; afterwards it throws. */
export type Tx<DB> = Reader<DB> & Pick<Kysely<DB>, 'insertInto' | 'updateTable' | 'deleteFrom' | 'mergeInto'>;

export interface Database<DB> {
  /** One read-write transaction that sees and writes the rows of this tenant alone. Rolled back when `work` throws. */
  withTenant<T>(tenantId: string, work: (tx: Tx<DB>) => Promise<T>): Promise<T>;
  /** One read-only transaction, likewise. */
  readTenant<T>(tenantId: string, work: (reader: Reader<DB>) => Promise<T>): Promise<T>;
  /** A transaction of the system role, for duties across tenants: it may only do what its grants name. */
  system<T>(work: (tx: Tx<DB>) => Promise<T>): Promise<T>;
  /**
   * A read-only transaction of the system role that counts or lists across tenants. Unlike in `system`, whose statements look for
   * few due rows by an index, the planner may read whole tables and join them by hash.
   */
  acrossTenants<T>(work: (reader: Reader<DB>) => Promise<T>): Promise<T>;
  /**
   * A whole transaction in one round trip: begin, tenant, the statements, commit. Resolves after the commit. Where one
   * fails, all are rolled back and the first error is thrown.
   */
  flight(tenantId: string, queries: readonly CompiledQuery[]): Promise<pg.QueryResult[]>;
  /**
   * A transaction of one statement, which may share its commit with others of the same moment, of any tenant. Each keeps
   * its own verdict: where a group fails, its statements are tried again one by one. Resolves after the commit.
   * `orderKey` names what the statement locks, so that groups lock in one order.
   */
  groupedFlight(tenantId: string, query: CompiledQuery, orderKey: string): Promise<pg.QueryResult>;
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

/** For a transaction of a connection that has `BY_INDEX_ONLY`. */
const BY_ANY_PLAN = {
  name: 'by-any-plan',
  text: "SELECT set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true)",
};

const tracer = trace.getTracer('claviger');

/** Opens the pools of one service. Connections are made as they are needed. */
export function createDatabase<DB>(options: DatabaseOptions): Database<DB> {
  const {
    connectMs = CONNECT_TIMEOUT_MS,
    lockMs = LOCK_TIMEOUT_MS,
    statementMs = STATEMENT_TIMEOUT_MS,
  } = options.patience ?? {};
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
      // Statements of one transaction are sent without waiting for the one before.
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
    // An idle connection that breaks is dropped by the pool; the next use makes another.
    made.on('error', () => {});
    // One that breaks while a transaction waits for something else has no query to tell: the next one fails. Unheard,
    // the event would end the process.
    made.on('connect', (client) => client.on('error', () => {}));
    return made;
  };
  const tenantPool = pool(
    options.user,
    options.password,
    options.poolSize,
    options.plansByValues ? [BY_VALUES] : [],
  );
  const grouped = createGroupedFlights(() => connect(tenantPool));
  // Duties look for few rows among many, by an index. A plan made while a table was small is kept by its connection as the
  // table grows, and would then read all of it, again and again.
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
      const opened = together(client, () => [
        client.query(begin),
        ...(setting ? [client.query(setting)] : []),
      ]);
      // Their failure also fails what follows; unheard here it would end the process.
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
      // A write inside a read transaction is a defect of the code; elsewhere the server itself stores nothing.
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
    acrossTenants: (work) =>
      span('system read transaction', () => transact(systemPool, BEGIN_READ, BY_ANY_PLAN, work)),
    flight: (tenantId, queries) =>
      span('transaction', () => flight(() => connect(tenantPool), checkedTenant(tenantId), queries)),
    groupedFlight: (tenantId, query, orderKey) =>
      span('transaction', () => grouped(checkedTenant(tenantId), query, orderKey)),
    ping: async () => {
      await tenantPool.query('SELECT 1');
    },
    close: async () => {
      await Promise.all([tenantPool.end(), systemPool.end()]);
    },
  };
}

/** A job or query without a tenant is a bug that must show, not an empty result. */
function checkedTenant(tenantId: string): string {
  if (!UUID.test(tenantId)) throw new Error('A transaction needs the id of a tenant.');
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

/** COMMIT of a transaction that failed answers ROLLBACK, without an error. */
async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('COMMIT');
  if (command !== 'COMMIT') throw new Error('The transaction was rolled back by the database.');
}

/** The transaction ends in any case; a connection whose state is unclear is destroyed, never used again. */
async function abandon(client: pg.PoolClient, error: unknown): Promise<void> {
  try {
    if (isConnectionSpoilt(error)) throw error;
    await client.query('ROLLBACK');
    client.release();
  } catch {
    client.release(true);
  }
}
