import type * as auth from '@claviger/contracts/auth/v1/auth';
import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { Database } from '@claviger/database';
import type { ServiceClient } from '@claviger/service-kit';
import type { VaultSchema } from '../schema.ts';

/** Dependencies of the checks of access and protection. */
export interface RightsDeps {
  readonly database: Database<VaultSchema>;
  /** Workflow's approvals of a lower protection. */
  readonly protection: ServiceClient<typeof workflow.ProtectionService>;
  /** Auth's directory of present and former users. */
  readonly directory: Pick<ServiceClient<typeof auth.DirectoryService>, 'getUserNames'>;
}
