import type * as auth from '@claviger/contracts/auth/v1/auth';
import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { Database } from '@claviger/database';
import type { ServiceClient } from '@claviger/service-kit';
import type { VaultSchema } from '../schema.ts';

/** What checks of access and protection need. */
export interface RightsDeps {
  readonly database: Database<VaultSchema>;
  /** Workflow: who must approve a lower protection. */
  readonly protection: ServiceClient<typeof workflow.ProtectionService>;
  /** Auth: who is or was a user. */
  readonly directory: Pick<ServiceClient<typeof auth.DirectoryService>, 'getUserNames'>;
}
