import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '@claviger/backing-servers';

/** The superuser's access to a PostgreSQL server. */
export type ServerAccess = Pick<PostgresServer, 'socketDir' | 'port' | 'superuser' | 'password'>;

/** The environment variable with the access to the shared PostgreSQL of a run: `ServerAccess` as JSON. */
export const SHARED_POSTGRES_VARIABLE = 'CLAVIGER_TEST_POSTGRES';

/**
 * Starts the PostgreSQL that the test files of a run share; each creates its own databases. Stops it when
 * disposed.
 */
export async function startSharedPostgres(): Promise<AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'claviger-shared-'));
  await chmod(folder, 0o711);
  const { socketDir, port, superuser, password, stop } = await startPostgres({
    dataDir: join(folder, 'pg'),
    logFile: join(folder, 'pg.log'),
    fsync: false,
  });
  const access: ServerAccess = { socketDir, port, superuser, password };
  process.env[SHARED_POSTGRES_VARIABLE] = JSON.stringify(access);
  return {
    [Symbol.asyncDispose]: async () => {
      delete process.env[SHARED_POSTGRES_VARIABLE];
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The shared server of this run; `undefined` if none was started. */
export function sharedPostgres(): ServerAccess | undefined {
  const text = process.env[SHARED_POSTGRES_VARIABLE];
  return text === undefined ? undefined : (JSON.parse(text) as ServerAccess);
}
