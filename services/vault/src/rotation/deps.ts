import type { ConnectorPool } from '@claviger/connectors';
import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { Platform } from '@claviger/outbound';
import type { Logger } from '@claviger/service-kit';
import type { VaultConfig } from '../config.ts';
import type { Secrets } from '../encryption/secrets.ts';
import type { VaultSchema } from '../schema.ts';

/** Dependencies of the operations and duties in this folder. */
export interface RotationDeps {
  readonly config: VaultConfig;
  readonly database: Database<VaultSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly secrets: Secrets;
  /** Workers in which connectors run; see `targets/connector-of.ts`. */
  readonly connectors: ConnectorPool;
  /** Limits the addresses that connectors may reach. */
  readonly platform: Platform;
}
