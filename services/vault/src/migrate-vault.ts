import { join } from 'node:path';
import { migrateStore, storeMigrations } from '@claviger/store-service';
import type { VaultConfig } from './config.ts';

export const migrations = storeMigrations(join(import.meta.dirname, 'migrations'));

/** Brings the vault's schema to this version, as its owner. */
export const migrateVault = (config: VaultConfig): Promise<void> => migrateStore(config, migrations);
