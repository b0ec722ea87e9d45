import { join } from 'node:path';
import { migrateStore, storeMigrations } from '@claviger/store-service';
import type { WorkflowConfig } from './config.ts';

export const migrations = storeMigrations(join(import.meta.dirname, 'migrations'));

/** Migrates the service's schema to this version, as its owner. */
export const migrateWorkflow = (config: WorkflowConfig): Promise<void> => migrateStore(config, migrations);
