import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { AuthSchema } from '../schema.ts';
import type { Liveness } from '../sign-in/liveness.ts';
import type { Resources } from './linked-resource.ts';

/** Dependencies of the operations and duties in this folder. */
export interface DevicesDeps {
  readonly database: Database<AuthSchema>;
  readonly emitter: Emitter;
  readonly liveness: Liveness;
  /** Resources of the vault that devices can be linked to; undefined if this installation has no vault. */
  readonly resources: Resources | undefined;
}
