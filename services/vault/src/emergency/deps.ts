import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { Journal } from '@claviger/journal';
import type { Logger } from '@claviger/service-kit';
import type { VaultConfig } from '../config.ts';
import type { Secrets } from '../encryption/secrets.ts';
import type { VaultSchema } from '../schema.ts';

/** Dependencies of the operations and duties in this folder. */
export interface EmergencyDeps {
  readonly config: VaultConfig;
  readonly database: Database<VaultSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly secrets: Secrets;
  /** Emergency disclosures, on this replica's disk. */
  readonly journal: Journal;
  readonly wakeJournalMerge: () => void;
}
