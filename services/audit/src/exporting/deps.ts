import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { CostlyReads } from '../costly/costly-reads.ts';
import type { AuditSchema } from '../schema.ts';

/** Dependencies of the operations in this folder. */
export interface ExportingDeps {
  readonly database: Database<AuditSchema>;
  readonly emitter: Emitter;
  readonly costly: CostlyReads;
}
