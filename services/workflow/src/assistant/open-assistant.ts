import * as auth from '@claviger/contracts/auth/v1/auth';
import * as vault from '@claviger/contracts/vault/v1/vault';
import { createDocsIndex, documentationFolder, readSections } from '@claviger/docs-search';
import type { Platform } from '@claviger/outbound';
import type { Peers } from '@claviger/service-kit';
import type { WorkflowConfig } from '../config.ts';
import { type CallerReadsDeps, callerReads } from './caller-reads.ts';
import type { AssistantDeps } from './deps.ts';
import { createProviderCheck } from './provider/provider-check.ts';
import { providerPolicy } from './provider/provider-policy.ts';

/** Loads the index of the documentation and creates the dependencies of the assistant. */
export function openAssistant(
  deps: CallerReadsDeps & Pick<AssistantDeps, 'logger'>,
  peers: Pick<Peers, 'client'>,
  config: WorkflowConfig,
  platform: Platform,
): Pick<AssistantDeps, 'docs' | 'providerPolicy' | 'reads' | 'userPermissions' | 'checkProvider'> {
  const docs = createDocsIndex(readSections(documentationFolder()));
  if (docs.sections === 0)
    deps.logger.warn('the folder docs is missing: the assistant answers without documentation');
  const policy = providerPolicy(config, platform);
  return {
    docs,
    providerPolicy: policy,
    reads: callerReads(deps, {
      entries: peers.client('vault', vault.EntriesService),
      users: peers.client('auth', auth.UsersService),
    }),
    userPermissions: peers.client('auth', auth.DirectoryService),
    checkProvider: createProviderCheck(policy),
  };
}
