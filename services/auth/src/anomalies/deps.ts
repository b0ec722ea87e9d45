import type { Database } from '@claviger/database';
import type { AuthSchema } from '../schema.ts';

/** Dependencies of the operations and duties in this folder. */
export interface AnomaliesDeps {
  readonly database: Database<AuthSchema>;
}
