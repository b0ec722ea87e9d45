import type { ConnectorPool } from '@claviger/connectors';
import type { Platform } from '@claviger/outbound';

/** What the operations and duties in this folder need. */
export interface TargetsDeps {
  /** Workers in which connectors run; see `targets/connector-of.ts`. */
  readonly connectors: ConnectorPool;
  /** Its rules limit the addresses that connectors may reach. */
  readonly platform: Platform;
}
