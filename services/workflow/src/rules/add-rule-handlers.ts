import * as contract from '@claviger/contracts/workflow/v1/rules';
import type { RpcServer } from '@claviger/service-kit';
import type { WorkflowDeps } from '../deps.ts';
import { coSignRule } from './co-sign-rule.ts';
import { coSignSoftwareEntry } from './co-sign-software-entry.ts';
import { createRule } from './create-rule.ts';
import { createSoftwareEntry } from './create-software-entry.ts';
import { deleteRule } from './delete-rule.ts';
import { deleteSoftwareEntry } from './delete-software-entry.ts';
import { getRule } from './get-rule.ts';
import { lintRules } from './lint-rules.ts';
import { listRules } from './list-rules.ts';
import { listSoftwareEntries } from './list-software-entries.ts';
import { previewRule } from './preview-rule.ts';
import { replayRules } from './replay-rules.ts';
import { updateRule } from './update-rule.ts';
import { updateSoftwareEntry } from './update-software-entry.ts';

export function addRuleHandlers(rpc: RpcServer, deps: WorkflowDeps): void {
  rpc.add(contract.PamRulesService, ruleHandlers(deps));
  rpc.add(contract.SoftwarePolicyService, softwareHandlers(deps));
}

export function ruleHandlers(deps: WorkflowDeps) {
  return {
    listRules: listRules(deps),
    getRule: getRule(deps),
    createRule: createRule(deps),
    updateRule: updateRule(deps),
    deleteRule: deleteRule(deps),
    coSignRule: coSignRule(deps),
    previewRule: previewRule(deps),
    replayRules: replayRules(deps),
    lintRules: lintRules(deps),
  };
}

export function softwareHandlers(deps: WorkflowDeps) {
  return {
    listSoftwareEntries: listSoftwareEntries(deps),
    createSoftwareEntry: createSoftwareEntry(deps),
    updateSoftwareEntry: updateSoftwareEntry(deps),
    coSignSoftwareEntry: coSignSoftwareEntry(deps),
    deleteSoftwareEntry: deleteSoftwareEntry(deps),
  };
}
