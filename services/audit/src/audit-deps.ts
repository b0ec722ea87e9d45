import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { Logger } from '@claviger/service-kit';
import type { AuditKeys } from './keys.ts';
import type { AuditSchema } from './schema.ts';

/** What the operations of this service work with. */
export interface AuditDeps {
  readonly database: Database<AuditSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly keys: Pick<AuditKeys, 'treeHeadPublic' | 'receiptPublic'>;
}
