import { lastReplicaMigration, leadershipMigration } from '@claviger/cluster';
import { type Migration, migrate, migrationsIn, tenantStatusMigration } from '@claviger/database';
import { anomaliesMigration, outboxMigration } from '@claviger/events';
import { idempotencyMigration } from '@claviger/idempotency';
import { restoreMigration } from '@claviger/restore';
import { readSecretFile } from '@claviger/service-kit';
import type { StoreConfig } from './store-config.ts';

/** All migrations of a service's schema, in order: the common ones, then the files of its own folder. */
export function storeMigrations(folder: string): readonly Migration[] {
  return [
    outboxMigration,
    leadershipMigration,
    idempotencyMigration,
    tenantStatusMigration,
    restoreMigration,
    lastReplicaMigration,
    anomaliesMigration,
    ...migrationsIn(folder),
  ];
}

/** Migrates a service's schema to this version, as its owner. */
export async function migrateStore(
  { database }: Pick<StoreConfig, 'database'>,
  migrations: readonly Migration[],
): Promise<void> {
  const { host, port, name, schema, ownerUser, user, systemUser } = database;
  const ownerPassword = readSecretFile(database.ownerPasswordFile);
  await migrate({ host, port, name, schema, ownerUser, ownerPassword, user, systemUser }, migrations);
}
