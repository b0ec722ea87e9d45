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

/** Dependencies of the handlers of the assistant. */
export interface AssistantDeps {
  readonly database: Database<WorkflowSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  /** The settings of the tenants. */
  readonly settings: SettingsReader<'assistant'>;
  readonly docs: DocsIndex;
  readonly reads: CallerReads;
  /** Returns whether a user is active, and the permissions of the user. */
  readonly userPermissions: Pick<ServiceClient<typeof auth.DirectoryService>, 'getUserPermissions'>;
  /** The addresses at which a provider is allowed. */
  readonly providerPolicy: () => TargetPolicy;
  readonly checkProvider: ProviderCheck;
}
