import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Migration } from '@claviger/database';

/** For every service with a database; after the migrations of leadership and idempotency. */
export const restoreMigration: Migration = {
  name: '0000-restore-epoch',
  sql: readFileSync(join(import.meta.dirname, 'restore-epoch.sql'), 'utf8'),
};

export interface RestoreSchema {
  restore_epoch: { only_one: boolean; epoch: number; finished_at: Date | null };
}
