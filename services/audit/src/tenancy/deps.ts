import type { Database } from '@claviger/database';
import type { AuditKeys } from '../keys.ts';
import type { AuditSchema } from '../schema.ts';

/** What the operations and duties in this folder need. */
export interface TenancyDeps {
  readonly database: Database<AuditSchema>;
  readonly keys: Pick<AuditKeys, 'treeHeadPublic' | 'receiptPublic'>;
}
