import * as workflowEvidence from '@claviger/contracts/workflow/v1/evidence';
import type { RpcServer } from '@claviger/service-kit';
import type { WorkflowDeps } from '../deps.ts';
import { getWorkflowPosture } from './get-workflow-posture.ts';
import { listApprovalEvidence } from './list-approval-evidence.ts';
import { listPolicyEvidence } from './list-policy-evidence.ts';

/** What compliance packages tell of requests, decisions and grants. */
export function addEvidenceHandlers(rpc: RpcServer, deps: WorkflowDeps): void {
  rpc.add(workflowEvidence.EvidenceService, {
    listPolicyEvidence: listPolicyEvidence(deps),
    listApprovalEvidence: listApprovalEvidence(deps),
    getWorkflowPosture: getWorkflowPosture(deps),
  });
}
