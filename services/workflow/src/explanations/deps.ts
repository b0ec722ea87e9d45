import type { Database } from '@claviger/database';
import type { WorkflowSchema } from '../schema.ts';
import type { DecidedBy } from './read-decision.ts';

/** Dependencies of the explanations. */
export interface ExplanationsDeps {
  readonly database: Database<WorkflowSchema>;
  readonly decidedBy: DecidedBy;
}
