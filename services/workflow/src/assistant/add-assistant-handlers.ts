import * as auth from '@claviger/contracts/auth/v1/auth';
import * as vault from '@claviger/contracts/vault/v1/vault';
import * as assistant from '@claviger/contracts/workflow/v1/assistant';
import { createDocsIndex, documentationFolder, readSections } from '@claviger/docs-search';
import type { Platform } from '@claviger/outbound';
import type { Peers, RpcServer } from '@claviger/service-kit';
import type { WorkflowConfig } from '../config.ts';
import type { WorkflowDeps } from '../deps.ts';
import { askAssistant } from './ask-assistant.ts';
import type { AssistantDeps } from './assistant-deps.ts';
import { callerReads } from './caller-reads.ts';
import { eraseChatHistory } from './erase-chat-history.ts';
import { getAssistantStatus } from './get-assistant-status.ts';
import { listChatHistory } from './list-chat-history.ts';
import { createProviderCheck } from './provider/provider-check.ts';
import { providerPolicy } from './provider/provider-policy.ts';
import { suggestForRequest } from './suggestions/suggest-for-request.ts';

/** The assistant, with its index of the documentation. */
export function addAssistantHandlers(
  rpc: RpcServer,
  deps: WorkflowDeps,
  peers: Pick<Peers, 'client'>,
  config: WorkflowConfig,
  platform: Platform,
): void {
  const docs = createDocsIndex(readSections(documentationFolder()));
  if (docs.sections === 0)
    deps.logger.warn('the folder docs is not there: the assistant answers without documentation');
  const policy = providerPolicy(config, platform);
  rpc.add(
    assistant.AssistantService,
    assistantHandlers({
      ...deps,
      docs,
      policy,
      reads: callerReads(deps, {
        entries: peers.client('vault', vault.EntriesService),
        users: peers.client('auth', auth.UsersService),
      }),
      standings: peers.client('auth', auth.DirectoryService),
      checkProvider: createProviderCheck(policy),
    }),
  );
}

export function assistantHandlers(deps: AssistantDeps) {
  return {
    askAssistant: askAssistant(deps),
    listChatHistory: listChatHistory(deps),
    eraseChatHistory: eraseChatHistory(deps),
    getAssistantStatus: getAssistantStatus(deps),
    suggestForRequest: suggestForRequest(deps),
  };
}
