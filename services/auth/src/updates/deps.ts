import type { Database } from '@claviger/database';
import type { AuthSchema } from '../schema.ts';
import type { SchemaHistories } from './schema-histories.ts';

/** Dependencies of the operations and duties in this folder. */
export interface UpdatesDeps {
  readonly database: Database<AuthSchema>;
  readonly schemaHistories: SchemaHistories;
}
