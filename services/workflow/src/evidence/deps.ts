import type { Database } from '@claviger/database';
import type { WorkflowSchema } from '../schema.ts';

/** What the operations and duties in this folder need. */
export interface EvidenceDeps {
  readonly database: Database<WorkflowSchema>;
}
