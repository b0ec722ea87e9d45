import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Database } from '@claviger/database';
import type { DocsIndex } from '@claviger/docs-search';
import type { Emitter } from '@claviger/events';
import type { TargetPolicy } from '@claviger/outbound';
import type { Logger, ServiceClient } from '@claviger/service-kit';
import type { SettingsReader } from '@claviger/settings';
import type { WorkflowSchema } from '../schema.ts';
import type { CallerReads } from './caller-reads.ts';
import type { ProviderCheck } from './provider/provider-check.ts';

/** What the handlers of the assistant work with. */
export interface AssistantDeps {
  readonly database: Database<WorkflowSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  /** What administrators set. */
  readonly settings: SettingsReader<'assistant'>;
  readonly docs: DocsIndex;
  readonly reads: CallerReads;
  /** Whether a user may act now. */
  readonly standings: Pick<ServiceClient<typeof auth.DirectoryService>, 'getStanding'>;
  /** Where a provider may be. */
  readonly providerPolicy: () => TargetPolicy;
  readonly checkProvider: ProviderCheck;
}
