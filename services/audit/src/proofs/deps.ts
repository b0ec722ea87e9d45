import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { AuditKeys } from '../keys.ts';
import type { AuditSchema } from '../schema.ts';

/** Dependencies of the operations in this folder. */
export interface ProofsDeps {
  readonly database: Database<AuditSchema>;
  readonly emitter: Emitter;
  readonly keys: Pick<AuditKeys, 'treeHeadPublic' | 'receiptPublic'>;
}
