import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Migration } from '@claviger/database';
import type { Alert } from '@claviger/service-kit';
import type { ColumnType, Generated, GeneratedAlways } from 'kysely';

/** First migration of every service with state. */
export const outboxMigration: Migration = {
  name: '0000-outbox',
  sql: readFileSync(join(import.meta.dirname, 'schema.sql'), 'utf8'),
};

export interface OutboxTable {
  tenant_id: string;
  event_id: string;
  subject: string;
  kind: GeneratedAlways<string>;
  payload: string;
  mac: Buffer;
  traceparent: string | null;
  created_at: Generated<Date>;
  published_at: Date | null;
}

/** Part of the database type of every service with state. */
export interface OutboxSchema {
  outbox: OutboxTable;
}

/** For every service with state. */
export const anomaliesMigration: Migration = {
  name: '0000-anomalies',
  sql: readFileSync(join(import.meta.dirname, 'anomalies.sql'), 'utf8'),
};

export interface AnomaliesSchema {
  anomalies: {
    id: Generated<string>;
    alert: Alert;
    tenant_id: string | null;
    subject_type: string;
    subject_id: string;
    details: ColumnType<Record<string, unknown>, string, string>;
    observed: number;
    reported: Generated<number>;
    first_at: Generated<Date>;
    last_at: Generated<Date>;
    due_at: Generated<Date>;
  };
}
