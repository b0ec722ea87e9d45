import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { Logger } from '@claviger/service-kit';
import type { AuthConfig } from '../config.ts';
import type { TenantKeys } from '../mfa/tenant-keys.ts';
import type { AuthSchema } from '../schema.ts';
import type { Liveness } from '../sign-in/liveness.ts';
import type { TenantPeers } from './tenant-stores.ts';

/** Dependencies of the operations and duties in this folder. */
export interface TenantsDeps {
  readonly config: AuthConfig;
  readonly database: Database<AuthSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly liveness: Liveness;
  readonly tenantKeys: TenantKeys;
  /** Clients of the services that keep data of tenants. */
  readonly tenantPeers: TenantPeers;
}
