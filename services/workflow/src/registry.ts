// Generated from proto/claviger/workflow/v1 by `pnpm generate`. Do not edit.
import * as accountStatus from '@claviger/contracts/workflow/v1/account_status';
import * as assistant from '@claviger/contracts/workflow/v1/assistant';
import * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import * as elevation from '@claviger/contracts/workflow/v1/elevation';
import * as emergencyNotice from '@claviger/contracts/workflow/v1/emergency_notice';
import * as evidence from '@claviger/contracts/workflow/v1/evidence';
import * as explanations from '@claviger/contracts/workflow/v1/explanations';
import * as rules from '@claviger/contracts/workflow/v1/rules';
import * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { DepsOf, Handlers, RpcServer } from '@claviger/service-kit';
import { applyAccountStatus } from './accounts/apply-account-status.ts';
import { askAssistant } from './assistant/ask-assistant.ts';
import { listChatHistory } from './assistant/list-chat-history.ts';
import { eraseChatHistory } from './assistant/erase-chat-history.ts';
import { getAssistantStatus } from './assistant/get-assistant-status.ts';
import { suggestForRequest } from './assistant/suggestions/suggest-for-request.ts';
import { activateBreakglass } from './breakglass/activate-breakglass.ts';
import { confirmBreakglass } from './breakglass/confirm-breakglass.ts';
import { deactivateBreakglass } from './breakglass/deactivate-breakglass.ts';
import { getBreakglassStatus } from './breakglass/get-breakglass-status.ts';
import { listBreakglassSessions } from './breakglass/list-breakglass-sessions.ts';
import { getBreakglassSession } from './breakglass/get-breakglass-session.ts';
import { reviewBreakglassSession } from './breakglass/review-breakglass-session.ts';
import { createBreakglassCodes } from './breakglass/create-breakglass-codes.ts';
import { runBreakglassDrill } from './breakglass/run-breakglass-drill.ts';
import { listBreakglassDrills } from './breakglass/list-breakglass-drills.ts';
import { listElevationRequests } from './elevation/list-elevation-requests.ts';
import { getElevationRequest } from './elevation/get-elevation-request.ts';
import { listActiveElevations } from './elevation/list-active-elevations.ts';
import { requestElevation } from './elevation/request-elevation.ts';
import { respondToElevation } from './elevation/respond-to-elevation.ts';
import { revokeElevation } from './elevation/revoke-elevation.ts';
import { requestToolAction } from './elevation/request-tool-action.ts';
import { claimToolAction } from './elevation/claim-tool-action.ts';
import { actuateElevation } from './elevation/actuate-elevation.ts';
import { ingestElevationRequest } from './elevation/ingest-elevation-request.ts';
import { getAgentElevationRequest } from './elevation/get-agent-elevation-request.ts';
import { fetchAgentCommands } from './elevation/fetch-agent-commands.ts';
import { reportCommandOutcome } from './elevation/report-command-outcome.ts';
import { getEmergencyNotice } from './breakglass/get-emergency-notice.ts';
import { listPolicyEvidence } from './evidence/list-policy-evidence.ts';
import { listApprovalEvidence } from './evidence/list-approval-evidence.ts';
import { getWorkflowPosture } from './evidence/get-workflow-posture.ts';
import { explainElevation } from './explanations/explain-elevation.ts';
import { explainRequest } from './explanations/explain-request.ts';
import { listRules } from './rules/list-rules.ts';
import { getRule } from './rules/get-rule.ts';
import { createRule } from './rules/create-rule.ts';
import { updateRule } from './rules/update-rule.ts';
import { deleteRule } from './rules/delete-rule.ts';
import { coSignRule } from './rules/co-sign-rule.ts';
import { previewRule } from './rules/preview-rule.ts';
import { replayRules } from './rules/replay-rules.ts';
import { lintRules } from './rules/lint-rules.ts';
import { listSoftwareEntries } from './rules/list-software-entries.ts';
import { createSoftwareEntry } from './rules/create-software-entry.ts';
import { updateSoftwareEntry } from './rules/update-software-entry.ts';
import { coSignSoftwareEntry } from './rules/co-sign-software-entry.ts';
import { deleteSoftwareEntry } from './rules/delete-software-entry.ts';
import { listRequests } from './requests/list-requests.ts';
import { getRequest } from './requests/get-request.ts';
import { createRequest } from './requests/create-request.ts';
import { approveRequest } from './requests/approve-request.ts';
import { denyRequest } from './requests/deny-request.ts';
import { cancelRequest } from './requests/cancel-request.ts';
import { describePolicy } from './policies/describe-policy.ts';
import { requestProtectionChange } from './requests/request-protection-change.ts';
import { listGrants } from './grants/list-grants.ts';
import { getGrant } from './grants/get-grant.ts';
import { revokeGrant } from './grants/revoke-grant.ts';
import { getGrantCredentials } from './grants/get-grant-credentials.ts';
import { listResourceGrants } from './grants/list-resource-grants.ts';
import { listUserGrants } from './grants/list-user-grants.ts';
import { getAccessPolicy } from './policies/get-access-policy.ts';
import { putAccessPolicy } from './policies/put-access-policy.ts';

/** The handlers of claviger.workflow.v1.AccountStatusService. */
export const accountStatusService = (
  deps: DepsOf<
    | typeof applyAccountStatus
  >,
): Handlers<typeof accountStatus.AccountStatusService> => ({
  applyAccountStatus: applyAccountStatus(deps),
});

/** The handlers of claviger.workflow.v1.AssistantService. */
export const assistantService = (
  deps: DepsOf<
    | typeof askAssistant
    | typeof listChatHistory
    | typeof eraseChatHistory
    | typeof getAssistantStatus
    | typeof suggestForRequest
  >,
): Handlers<typeof assistant.AssistantService> => ({
  askAssistant: askAssistant(deps),
  listChatHistory: listChatHistory(deps),
  eraseChatHistory: eraseChatHistory(deps),
  getAssistantStatus: getAssistantStatus(deps),
  suggestForRequest: suggestForRequest(deps),
});

/** The handlers of claviger.workflow.v1.BreakglassService. */
export const breakglassService = (
  deps: DepsOf<
    | typeof activateBreakglass
    | typeof confirmBreakglass
    | typeof deactivateBreakglass
    | typeof getBreakglassStatus
    | typeof listBreakglassSessions
    | typeof getBreakglassSession
    | typeof reviewBreakglassSession
    | typeof createBreakglassCodes
    | typeof runBreakglassDrill
    | typeof listBreakglassDrills
  >,
): Handlers<typeof breakglass.BreakglassService> => ({
  activateBreakglass: activateBreakglass(deps),
  confirmBreakglass: confirmBreakglass(deps),
  deactivateBreakglass: deactivateBreakglass(deps),
  getBreakglassStatus: getBreakglassStatus(deps),
  listBreakglassSessions: listBreakglassSessions(deps),
  getBreakglassSession: getBreakglassSession(deps),
  reviewBreakglassSession: reviewBreakglassSession(deps),
  createBreakglassCodes: createBreakglassCodes(deps),
  runBreakglassDrill: runBreakglassDrill(deps),
  listBreakglassDrills: listBreakglassDrills(deps),
});

/** The handlers of claviger.workflow.v1.ElevationRequestsService. */
export const elevationRequestsService = (
  deps: DepsOf<
    | typeof listElevationRequests
    | typeof getElevationRequest
    | typeof listActiveElevations
    | typeof requestElevation
    | typeof respondToElevation
    | typeof revokeElevation
  >,
): Handlers<typeof elevation.ElevationRequestsService> => ({
  listElevationRequests: listElevationRequests(deps),
  getElevationRequest: getElevationRequest(deps),
  listActiveElevations: listActiveElevations(deps),
  requestElevation: requestElevation(deps),
  respondToElevation: respondToElevation(deps),
  revokeElevation: revokeElevation(deps),
});

/** The handlers of claviger.workflow.v1.ToolActionsService. */
export const toolActionsService = (
  deps: DepsOf<
    | typeof requestToolAction
    | typeof claimToolAction
  >,
): Handlers<typeof elevation.ToolActionsService> => ({
  requestToolAction: requestToolAction(deps),
  claimToolAction: claimToolAction(deps),
});

/** The handlers of claviger.workflow.v1.DeviceActuationService. */
export const deviceActuationService = (
  deps: DepsOf<
    | typeof actuateElevation
  >,
): Handlers<typeof elevation.DeviceActuationService> => ({
  actuateElevation: actuateElevation(deps),
});

/** The handlers of claviger.workflow.v1.AgentElevationsService. */
export const agentElevationsService = (
  deps: DepsOf<
    | typeof ingestElevationRequest
    | typeof getAgentElevationRequest
    | typeof fetchAgentCommands
    | typeof reportCommandOutcome
  >,
): Handlers<typeof elevation.AgentElevationsService> => ({
  ingestElevationRequest: ingestElevationRequest(deps),
  getAgentElevationRequest: getAgentElevationRequest(deps),
  fetchAgentCommands: fetchAgentCommands(deps),
  reportCommandOutcome: reportCommandOutcome(deps),
});

/** The handlers of claviger.workflow.v1.EmergencyNoticeService. */
export const emergencyNoticeService = (
  deps: DepsOf<
    | typeof getEmergencyNotice
  >,
): Handlers<typeof emergencyNotice.EmergencyNoticeService> => ({
  getEmergencyNotice: getEmergencyNotice(deps),
});

/** The handlers of claviger.workflow.v1.EvidenceService. */
export const evidenceService = (
  deps: DepsOf<
    | typeof listPolicyEvidence
    | typeof listApprovalEvidence
    | typeof getWorkflowPosture
  >,
): Handlers<typeof evidence.EvidenceService> => ({
  listPolicyEvidence: listPolicyEvidence(deps),
  listApprovalEvidence: listApprovalEvidence(deps),
  getWorkflowPosture: getWorkflowPosture(deps),
});

/** The handlers of claviger.workflow.v1.ExplanationsService. */
export const explanationsService = (
  deps: DepsOf<
    | typeof explainElevation
    | typeof explainRequest
  >,
): Handlers<typeof explanations.ExplanationsService> => ({
  explainElevation: explainElevation(deps),
  explainRequest: explainRequest(deps),
});

/** The handlers of claviger.workflow.v1.PamRulesService. */
export const pamRulesService = (
  deps: DepsOf<
    | typeof listRules
    | typeof getRule
    | typeof createRule
    | typeof updateRule
    | typeof deleteRule
    | typeof coSignRule
    | typeof previewRule
    | typeof replayRules
    | typeof lintRules
  >,
): Handlers<typeof rules.PamRulesService> => ({
  listRules: listRules(deps),
  getRule: getRule(deps),
  createRule: createRule(deps),
  updateRule: updateRule(deps),
  deleteRule: deleteRule(deps),
  coSignRule: coSignRule(deps),
  previewRule: previewRule(deps),
  replayRules: replayRules(deps),
  lintRules: lintRules(deps),
});

/** The handlers of claviger.workflow.v1.SoftwarePolicyService. */
export const softwarePolicyService = (
  deps: DepsOf<
    | typeof listSoftwareEntries
    | typeof createSoftwareEntry
    | typeof updateSoftwareEntry
    | typeof coSignSoftwareEntry
    | typeof deleteSoftwareEntry
  >,
): Handlers<typeof rules.SoftwarePolicyService> => ({
  listSoftwareEntries: listSoftwareEntries(deps),
  createSoftwareEntry: createSoftwareEntry(deps),
  updateSoftwareEntry: updateSoftwareEntry(deps),
  coSignSoftwareEntry: coSignSoftwareEntry(deps),
  deleteSoftwareEntry: deleteSoftwareEntry(deps),
});

/** The handlers of claviger.workflow.v1.RequestsService. */
export const requestsService = (
  deps: DepsOf<
    | typeof listRequests
    | typeof getRequest
    | typeof createRequest
    | typeof approveRequest
    | typeof denyRequest
    | typeof cancelRequest
  >,
): Handlers<typeof workflow.RequestsService> => ({
  listRequests: listRequests(deps),
  getRequest: getRequest(deps),
  createRequest: createRequest(deps),
  approveRequest: approveRequest(deps),
  denyRequest: denyRequest(deps),
  cancelRequest: cancelRequest(deps),
});

/** The handlers of claviger.workflow.v1.ProtectionService. */
export const protectionService = (
  deps: DepsOf<
    | typeof describePolicy
    | typeof requestProtectionChange
  >,
): Handlers<typeof workflow.ProtectionService> => ({
  describePolicy: describePolicy(deps),
  requestProtectionChange: requestProtectionChange(deps),
});

/** The handlers of claviger.workflow.v1.GrantsService. */
export const grantsService = (
  deps: DepsOf<
    | typeof listGrants
    | typeof getGrant
    | typeof revokeGrant
    | typeof getGrantCredentials
    | typeof listResourceGrants
    | typeof listUserGrants
  >,
): Handlers<typeof workflow.GrantsService> => ({
  listGrants: listGrants(deps),
  getGrant: getGrant(deps),
  revokeGrant: revokeGrant(deps),
  getGrantCredentials: getGrantCredentials(deps),
  listResourceGrants: listResourceGrants(deps),
  listUserGrants: listUserGrants(deps),
});

/** The handlers of claviger.workflow.v1.AccessPoliciesService. */
export const accessPoliciesService = (
  deps: DepsOf<
    | typeof getAccessPolicy
    | typeof putAccessPolicy
  >,
): Handlers<typeof workflow.AccessPoliciesService> => ({
  getAccessPolicy: getAccessPolicy(deps),
  putAccessPolicy: putAccessPolicy(deps),
});

/** What all handlers of this service need together. */
export type HandlerDeps = DepsOf<
  | typeof accountStatusService
  | typeof assistantService
  | typeof breakglassService
  | typeof elevationRequestsService
  | typeof toolActionsService
  | typeof deviceActuationService
  | typeof agentElevationsService
  | typeof emergencyNoticeService
  | typeof evidenceService
  | typeof explanationsService
  | typeof pamRulesService
  | typeof softwarePolicyService
  | typeof requestsService
  | typeof protectionService
  | typeof grantsService
  | typeof accessPoliciesService
>;

/** Registers the handlers of all gRPC services that this service owns. */
export function registerHandlers(rpc: Pick<RpcServer, 'add'>, deps: HandlerDeps): void {
  rpc.add(accountStatus.AccountStatusService, accountStatusService(deps));
  rpc.add(assistant.AssistantService, assistantService(deps));
  rpc.add(breakglass.BreakglassService, breakglassService(deps));
  rpc.add(elevation.ElevationRequestsService, elevationRequestsService(deps));
  rpc.add(elevation.ToolActionsService, toolActionsService(deps));
  rpc.add(elevation.DeviceActuationService, deviceActuationService(deps));
  rpc.add(elevation.AgentElevationsService, agentElevationsService(deps));
  rpc.add(emergencyNotice.EmergencyNoticeService, emergencyNoticeService(deps));
  rpc.add(evidence.EvidenceService, evidenceService(deps));
  rpc.add(explanations.ExplanationsService, explanationsService(deps));
  rpc.add(rules.PamRulesService, pamRulesService(deps));
  rpc.add(rules.SoftwarePolicyService, softwarePolicyService(deps));
  rpc.add(workflow.RequestsService, requestsService(deps));
  rpc.add(workflow.ProtectionService, protectionService(deps));
  rpc.add(workflow.GrantsService, grantsService(deps));
  rpc.add(workflow.AccessPoliciesService, accessPoliciesService(deps));
}
