import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { AuditSchema } from '../schema.ts';

/** What the operations and duties in this folder need. */
export interface ReadsDeps {
  readonly database: Database<AuditSchema>;
  readonly emitter: Emitter;
}
