import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { ServiceClient } from '@claviger/service-kit';
import type { VaultSchema } from '../schema.ts';

/** What the operations and duties in this folder need. */
export interface ExposureDeps {
  readonly database: Database<VaultSchema>;
  readonly emitter: Emitter;
  /** Auth: who is or was a user. */
  readonly directory: Pick<ServiceClient<typeof auth.DirectoryService>, 'getUserNames'>;
}
