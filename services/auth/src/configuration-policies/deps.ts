import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { AuthSchema } from '../schema.ts';

/** Dependencies of the operations and duties in this folder. */
export interface ConfigurationPoliciesDeps {
  readonly database: Database<AuthSchema>;
  readonly emitter: Emitter;
}
