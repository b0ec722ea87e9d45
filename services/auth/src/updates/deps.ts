import type { Database } from '@claviger/database';
import type { AuthSchema } from '../schema.ts';
import type { SchemaHistories } from './schema-histories.ts';

/** What the operations and duties in this folder need. */
export interface UpdatesDeps {
  readonly database: Database<AuthSchema>;
  readonly schemaHistories: SchemaHistories;
}
