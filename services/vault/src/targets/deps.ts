import type { ConnectorPool } from '@claviger/connectors';
import type { Platform } from '@claviger/outbound';

/** What the operations and duties in this folder need. */
export interface TargetsDeps {
  /** Workers in which connectors run; see `targets/connector-of.ts`. */
  readonly connectors: ConnectorPool;
  /** Decides first what may be reached. */
  readonly platform: Platform;
}
