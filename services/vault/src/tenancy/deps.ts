import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { Logger } from '@claviger/service-kit';
import type { TenantKeys } from '../encryption/tenant-keys.ts';
import type { VaultSchema } from '../schema.ts';

/** Dependencies of the operations and duties in this folder. */
export interface TenancyDeps {
  readonly database: Database<VaultSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly keys: TenantKeys;
}
