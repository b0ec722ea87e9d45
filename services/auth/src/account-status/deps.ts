import type * as accountStatus from '@claviger/contracts/workflow/v1/account_status';
import type { Database } from '@claviger/database';
import type { Logger, ServiceClient } from '@claviger/service-kit';
import type { AuthSchema } from '../schema.ts';

/** Dependencies of the operations and duties in this folder. */
export interface AccountStatusDeps {
  readonly database: Database<AuthSchema>;
  readonly logger: Logger;
  /**
   * Workflow ends requests, grants and elevations of accounts; undefined if this installation has no
   * workflow.
   */
  readonly accountStatus: ServiceClient<typeof accountStatus.AccountStatusService> | undefined;
}
