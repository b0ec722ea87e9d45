import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { Logger } from '@claviger/service-kit';
import type { WorkflowSchema } from '../schema.ts';

/** Dependencies of the operations in this folder. */
export interface TenancyDeps {
  readonly database: Database<WorkflowSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
}
