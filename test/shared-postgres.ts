import { startSharedPostgres } from '@claviger/testkit';
import './port-range.ts';

/**
 * Starts the PostgreSQL that the unit tests share; initialising one for each file would take longer than most
 * files.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const started = await startSharedPostgres();
  return async () => started[Symbol.asyncDispose]();
}
