import type { Database } from '@claviger/database';
import type { AuthSchema } from '../schema.ts';

/** What the operations and duties in this folder need. */
export interface DirectoryDeps {
  readonly database: Database<AuthSchema>;
}
