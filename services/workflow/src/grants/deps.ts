import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { Logger } from '@claviger/service-kit';
import type { Directory, Vault } from '../peers.ts';
import type { WorkflowSchema } from '../schema.ts';

/** Dependencies of the operations and duties in this folder. */
export interface GrantsDeps {
  readonly database: Database<WorkflowSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly vault: Vault;
  readonly directory: Directory;
}
