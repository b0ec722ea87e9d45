import type { KeyObject } from 'node:crypto';
import type { ConnectorPool } from '@claviger/connectors';
import type * as auth from '@claviger/contracts/auth/v1/auth';
import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { Journal } from '@claviger/journal';
import type { Platform } from '@claviger/outbound';
import type { Logger, ServiceClient } from '@claviger/service-kit';
import type { VaultConfig } from '../config.ts';
import type { DisclosureGate } from '../disclosure/disclosure-gate.ts';
import type { Secrets } from '../encryption/secrets.ts';
import type { VaultSchema } from '../schema.ts';

/** Dependencies of the operations and duties in this folder. */
export interface EntriesDeps {
  readonly config: VaultConfig;
  readonly database: Database<VaultSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly secrets: Secrets;
  /** Workers in which connectors run; see `targets/connector-of.ts`. */
  readonly connectors: ConnectorPool;
  readonly gate: DisclosureGate;
  /** Limits the addresses that connectors may reach. */
  readonly platform: Platform;
  /** Emergency disclosures, on this replica's disk. */
  readonly journal: Journal;
  readonly wakeJournalMerge: () => void;
  /** Ed25519 private key that signs receipts. */
  readonly receiptKey: KeyObject;
  /** Workflow's approvals of a lower protection. */
  readonly protection: ServiceClient<typeof workflow.ProtectionService>;
  /** Auth's directory of present and former users. */
  readonly directory: Pick<ServiceClient<typeof auth.DirectoryService>, 'getUserNames'>;
}
