import { createDatabase, type Database, type DatabaseOptions } from '@claviger/database';
import { readSecretFile } from '@claviger/service-kit/secret-file';
import type { StoreConfig } from './store-config.ts';

/** The connection pools of a service's schema. */
export function openStoreDatabase<DB>(
  config: Pick<StoreConfig, 'database' | 'node'>,
  options: Pick<DatabaseOptions, 'timeouts' | 'plansByValues'> = {},
): Database<DB> {
  return createDatabase<DB>({ ...connectionOf(config), ...options });
}

/** Reads the passwords from their files. Throws if one is missing. */
export function connectionOf({ database, node }: Pick<StoreConfig, 'database' | 'node'>): DatabaseOptions {
  return {
    ...database,
    password: readSecretFile(database.passwordFile),
    systemPassword: readSecretFile(database.systemPasswordFile),
    applicationName: node,
  };
}
