import type * as accountStatus from '@claviger/contracts/workflow/v1/account_status';
import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { Logger, ServiceClient } from '@claviger/service-kit';
import type { AuthConfig } from '../config.ts';
import type { AuthSchema } from '../schema.ts';
import type { Liveness } from '../sign-in/liveness.ts';
import type { PasswordHasher } from './password-hasher.ts';

/** Dependencies of the operations and duties in this folder. */
export interface PasswordsDeps {
  readonly config: AuthConfig;
  readonly database: Database<AuthSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly passwords: PasswordHasher;
  readonly liveness: Liveness;
  /**
   * Workflow ends requests, grants and elevations of accounts; undefined if this installation has no
   * workflow.
   */
  readonly accountStatus: ServiceClient<typeof accountStatus.AccountStatusService> | undefined;
}
