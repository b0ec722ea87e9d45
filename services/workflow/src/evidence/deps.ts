import type { Database } from '@claviger/database';
import type { WorkflowSchema } from '../schema.ts';

/** Dependencies of the operations in this folder. */
export interface EvidenceDeps {
  readonly database: Database<WorkflowSchema>;
}
