import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type NodeDefinition, servicesFolder } from './prepare-installation.ts';

/**
 * Runs a service's migrations in this process, for tests: one process per service would take most of the
 * start time. Throws if a migration fails.
 */
export async function migrateInProcess({ service, configFile }: NodeDefinition): Promise<void> {
  // Loaded on demand: the CLI does not need it.
  const { migrateStore, storeMigrations } = await import('@claviger/store-service');
  const config = JSON.parse(await readFile(configFile, 'utf8')) as Parameters<typeof migrateStore>[0];
  await migrateStore(config, storeMigrations(join(servicesFolder, service, 'src/migrations')));
}
