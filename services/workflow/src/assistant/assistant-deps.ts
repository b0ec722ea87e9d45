import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { DocsIndex } from '@claviger/docs-search';
import type { TargetPolicy } from '@claviger/outbound';
import type { ServiceClient } from '@claviger/service-kit';
import type { WorkflowDeps } from '../deps.ts';
import type { CallerReads } from './caller-reads.ts';
import type { ProviderCheck } from './provider/provider-check.ts';

/** What the handlers of the assistant work with. */
export interface AssistantDeps extends Pick<WorkflowDeps, 'database' | 'emitter' | 'logger' | 'settings'> {
  readonly docs: DocsIndex;
  readonly reads: CallerReads;
  /** Whether a user may act now. */
  readonly standings: Pick<ServiceClient<typeof auth.DirectoryService>, 'getStanding'>;
  /** Where a provider may be. */
  readonly providerPolicy: () => TargetPolicy;
  readonly checkProvider: ProviderCheck;
}
