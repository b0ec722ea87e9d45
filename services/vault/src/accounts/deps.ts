import type { Database } from '@claviger/database';
import type { Logger } from '@claviger/service-kit';
import type { VaultConfig } from '../config.ts';
import type { VaultSchema } from '../schema.ts';

/** Dependencies of the operations and duties in this folder. */
export interface AccountsDeps {
  readonly config: VaultConfig;
  readonly database: Database<VaultSchema>;
  readonly logger: Logger;
}
