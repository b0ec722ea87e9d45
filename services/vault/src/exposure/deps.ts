import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { ServiceClient } from '@claviger/service-kit';
import type { VaultSchema } from '../schema.ts';

/** Dependencies of the operations and duties in this folder. */
export interface ExposureDeps {
  readonly database: Database<VaultSchema>;
  readonly emitter: Emitter;
  /** Auth's directory of present and former users. */
  readonly directory: Pick<ServiceClient<typeof auth.DirectoryService>, 'getUserNames'>;
}
