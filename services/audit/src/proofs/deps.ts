import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { AuditKeys } from '../keys.ts';
import type { AuditSchema } from '../schema.ts';

/** What the operations and duties in this folder need. */
export interface ProofsDeps {
  readonly database: Database<AuditSchema>;
  readonly emitter: Emitter;
  readonly keys: Pick<AuditKeys, 'treeHeadPublic' | 'receiptPublic'>;
}
