import { join } from 'node:path';
import { leadershipMigration } from '@claviger/cluster';
import { migrate, migrationsIn, tenantStandingsMigration } from '@claviger/database';
import { outboxMigration } from '@claviger/events';
import { idempotencyMigration } from '@claviger/idempotency';
import { readSecretFile } from '@claviger/service-kit';
import type { VaultConfig } from './config.ts';

/** Everything that ever happened to the schema, in order. */
export const migrations = [
  outboxMigration,
  leadershipMigration,
  idempotencyMigration,
  tenantStandingsMigration,
  ...migrationsIn(join(import.meta.dirname, 'migrations')),
];

/** Brings the vault's schema to this version, as its owner. */
export async function migrateVault({ database }: VaultConfig): Promise<void> {
  await migrate({ ...database, ownerPassword: readSecretFile(database.ownerPasswordFile) }, migrations);
}
