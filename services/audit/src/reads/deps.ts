import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { AuditSchema } from '../schema.ts';

/** Dependencies of the operations and the duty in this folder. */
export interface ReadsDeps {
  readonly database: Database<AuditSchema>;
  readonly emitter: Emitter;
}
