import { join } from 'node:path';
import { migrate, migrationsIn } from '@claviger/database';
import { outboxMigration } from '@claviger/events';
import { readSecretFile } from '@claviger/service-kit';
import type { VaultConfig } from './config.ts';

/** Brings the vault's schema to this version, as its owner. */
export async function migrateVault({ database }: VaultConfig): Promise<void> {
  await migrate({ ...database, ownerPassword: readSecretFile(database.ownerPasswordFile) }, [
    outboxMigration,
    ...migrationsIn(join(import.meta.dirname, 'migrations')),
  ]);
}
