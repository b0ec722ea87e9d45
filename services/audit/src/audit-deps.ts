import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { Logger } from '@claviger/service-kit';
import type { CostlyReads } from './costly/costly-reads.ts';
import type { AuditKeys } from './keys.ts';
import type { AuditSchema } from './schema.ts';

/** What the operations of this service work with. */
export interface AuditDeps {
  readonly database: Database<AuditSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly keys: Pick<AuditKeys, 'treeHeadPublic' | 'receiptPublic'>;
}

/** Likewise, with the thread for what is costly. */
export interface LogDeps extends AuditDeps {
  readonly costly: CostlyReads;
}
