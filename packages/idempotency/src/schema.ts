import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Migration } from '@claviger/database';

/** Part of the schema of every service with state. */
export const idempotencyMigration: Migration = {
  name: '0000-idempotency',
  sql: readFileSync(join(import.meta.dirname, 'schema.sql'), 'utf8'),
};
