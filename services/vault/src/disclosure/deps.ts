import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { VaultSchema } from '../schema.ts';

/** Dependencies of the operations and duties in this folder. */
export interface DisclosureDeps {
  readonly database: Database<VaultSchema>;
  readonly emitter: Emitter;
}
