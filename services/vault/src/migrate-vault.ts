import { join } from 'node:path';
import { migrateStore, storeMigrations } from '@claviger/store-service';
import type { VaultConfig } from './config.ts';

export const migrations = storeMigrations(join(import.meta.dirname, 'migrations'));

/** Migrates the vault's schema to this version, as the schema's owner. */
export const migrateVault = (config: VaultConfig): Promise<void> => migrateStore(config, migrations);
