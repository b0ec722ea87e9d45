import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { AuthSchema } from '../schema.ts';
import type { Liveness } from '../sign-in/liveness.ts';

/** Dependencies of the operations and duties in this folder. */
export interface AgentsDeps {
  readonly database: Database<AuthSchema>;
  readonly emitter: Emitter;
  readonly liveness: Liveness;
}
