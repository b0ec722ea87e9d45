import { join } from 'node:path';
import { leadershipMigration } from '@claviger/cluster';
import { migrate, migrationsIn, tenantStandingsMigration } from '@claviger/database';
import { outboxMigration } from '@claviger/events';
import { idempotencyMigration } from '@claviger/idempotency';
import { readSecretFile } from '@claviger/service-kit';
import type { WorkflowConfig } from './config.ts';

/** Everything that ever happened to the schema, in order. */
export const migrations = [
  outboxMigration,
  leadershipMigration,
  idempotencyMigration,
  tenantStandingsMigration,
  ...migrationsIn(join(import.meta.dirname, 'migrations')),
];

/** Brings the service's schema to this version, as its owner. */
export async function migrateWorkflow({ database }: WorkflowConfig): Promise<void> {
  const { host, port, name, schema, ownerUser, user, systemUser } = database;
  const ownerPassword = readSecretFile(database.ownerPasswordFile);
  await migrate({ host, port, name, schema, ownerUser, ownerPassword, user, systemUser }, migrations);
}
