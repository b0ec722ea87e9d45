import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { AuthSchema } from '../schema.ts';

/** What the operations and duties in this folder need. */
export interface ConfigurationPoliciesDeps {
  readonly database: Database<AuthSchema>;
  readonly emitter: Emitter;
}
