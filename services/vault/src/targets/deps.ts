import type { ConnectorPool } from '@claviger/connectors';
import type { Platform } from '@claviger/outbound';

/** Dependencies of the operations and duties in this folder. */
export interface TargetsDeps {
  /** Workers in which connectors run; see `targets/connector-of.ts`. */
  readonly connectors: ConnectorPool;
  /** Limits the addresses that connectors may reach. */
  readonly platform: Platform;
}
