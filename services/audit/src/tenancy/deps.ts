import type { Database } from '@claviger/database';
import type { AuditKeys } from '../keys.ts';
import type { AuditSchema } from '../schema.ts';

/** Dependencies of the operations in this folder. */
export interface TenancyDeps {
  readonly database: Database<AuditSchema>;
  readonly keys: Pick<AuditKeys, 'treeHeadPublic' | 'receiptPublic'>;
}
