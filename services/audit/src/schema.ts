import { join } from 'node:path';
import type { TenantStatusSchema } from '@claviger/database';
import type { OutboxSchema } from '@claviger/events';
import { storeMigrations } from '@claviger/store-service';
import type { Generated, Selectable } from 'kysely';
import type { ComplianceSchema } from './compliance/compliance-tables.ts';

export interface EventsTable {
  tenant_id: string;
  event_id: string;
  sequence: number | null;
  canonical: string;
  leaf_hash: Buffer;
  mac: Buffer;
  action: string;
  outcome: string;
  actor_id: string;
  actor_name: string;
  actor_kind: string;
  subject_type: string;
  subject_id: string;
  resource_id: string;
  service: string;
  source_address: string;
  request_id: string;
  reason: string;
  occurred_at: Date;
  received_at: Generated<Date>;
}

export type EventRow = Selectable<EventsTable>;

export interface TreesTable {
  tenant_id: string;
  size: Generated<number>;
  frontier: Generated<Buffer>;
  heads: Generated<number>;
}

export interface TreeNodesTable {
  tenant_id: string;
  level: number;
  index: number;
  hash: Buffer;
}

export interface TreeHeadsTable {
  tenant_id: string;
  size: number;
  root_hash: string;
  previous_root_hash: string;
  timestamp: Date;
  key_id: string;
  signature: string;
}

export interface QuarantinedEventsTable {
  tenant_id: string;
  event_id: string;
  reason: string;
  found_at: Generated<Date>;
}

export interface DeadLettersTable {
  id: string;
  reason: string;
  subject: string;
  tenant_id: string;
  event_id: string;
  payload: Buffer;
  mac: Buffer;
  received_at: Generated<Date>;
}

export interface SiemCursorsTable {
  tenant_id: string;
  target: string;
  active: boolean;
  next_sequence: number;
  retry_through: number | null;
  failures: Generated<number>;
  next_attempt_at: Generated<Date>;
  last_success_at: Date | null;
  last_failure_at: Date | null;
  last_error: Generated<string>;
}

export interface AuditedReadsTable {
  tenant_id: string;
  key: Buffer;
  event: string;
  repeated: Generated<number>;
  last_at: Generated<Date>;
  due_at: Generated<Date>;
}

export type SiemCursorRow = Selectable<SiemCursorsTable>;

export interface AuditSchema extends OutboxSchema, TenantStatusSchema, ComplianceSchema {
  events: EventsTable;
  trees: TreesTable;
  tree_nodes: TreeNodesTable;
  tree_heads: TreeHeadsTable;
  quarantined_events: QuarantinedEventsTable;
  dead_letters: DeadLettersTable;
  siem_cursors: SiemCursorsTable;
  audited_reads: AuditedReadsTable;
}

export const migrations = storeMigrations(join(import.meta.dirname, 'migrations'));
