import * as auth from '@claviger/contracts/auth/v1/auth';
import * as devices from '@claviger/contracts/auth/v1/devices';
import * as emergencyStanding from '@claviger/contracts/auth/v1/emergency_standing';
import * as emergency from '@claviger/contracts/vault/v1/emergency';
import * as vault from '@claviger/contracts/vault/v1/vault';
import * as accountStanding from '@claviger/contracts/workflow/v1/account_standing';
import * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { type RunningService, readSecretFile } from '@claviger/service-kit';
import { startSettings } from '@claviger/settings';
import { openStoreService } from '@claviger/store-service';
import { applyAccountStanding } from './accounts/apply-account-standing.ts';
import { addAssistantHandlers } from './assistant/add-assistant-handlers.ts';
import { startForgetting } from './assistant/forget-exchanges.ts';
import { addBreakglassHandlers } from './breakglass/add-breakglass-handlers.ts';
import { withBreakglassAlerts } from './breakglass/alert.ts';
import { startBreakglassSweep } from './breakglass/sweep-breakglass.ts';
import type { WorkflowConfig } from './config.ts';
import type { WorkflowDeps } from './deps.ts';
import { startSweep } from './duties/sweep.ts';
import { addElevationHandlers } from './elevation/add-elevation-handlers.ts';
import { startCommandBell } from './elevation/command-bell.ts';
import { startForgettingReports } from './elevation/forget-reports.ts';
import { createEvaluationPool } from './evaluation/evaluation-pool.ts';
import { addEvidenceHandlers } from './evidence/add-evidence-handlers.ts';
import { addExplanationHandlers } from './explanations/explanation-handlers.ts';
import { getGrant } from './grants/get-grant.ts';
import { getGrantCredentials } from './grants/get-grant-credentials.ts';
import { listGrants } from './grants/list-grants.ts';
import { listResourceGrants } from './grants/list-resource-grants.ts';
import { listUserGrants } from './grants/list-user-grants.ts';
import { revokeGrant } from './grants/revoke-grant.ts';
import { migrations } from './migrate.ts';
import { describePolicy } from './policies/describe-policy.ts';
import { getAccessPolicy } from './policies/get-access-policy.ts';
import { putAccessPolicy } from './policies/put-access-policy.ts';
import { approveRequest } from './requests/approve-request.ts';
import { cancelRequest } from './requests/cancel-request.ts';
import { createRequest } from './requests/create-request.ts';
import { denyRequest } from './requests/deny-request.ts';
import { getRequest } from './requests/get-request.ts';
import { listRequests } from './requests/list-requests.ts';
import { requestProtectionChange } from './requests/request-protection-change.ts';
import { addRuleHandlers } from './rules/add-rule-handlers.ts';
import { createDecider } from './rules/decider.ts';
import { startForgettingEvaluations } from './rules/forget-evaluations.ts';
import { createRuleSetCache } from './rules/rule-set-cache.ts';
import type { WorkflowSchema } from './schema.ts';
import { addTenancyHandlers } from './tenancy/add-tenancy-handlers.ts';
import { endAccessAfterRestore } from './tenancy/end-access-after-restore.ts';

/** Starts the workflow service: requests, decisions and grants. Its schema must have been migrated. */
export async function createWorkflowService(config: WorkflowConfig): Promise<RunningService> {
  await using store = openStoreService<WorkflowSchema>({
    service: 'workflow',
    config,
    migrations,
    actorTokenPublicKey: readSecretFile(config.actorTokenPublicKeyFile),
    publishes: 'events',
    recordOutcome: withBreakglassAlerts,
  });
  const { database, emitter, logger, peers, rpc, parts, cluster } = store;
  const settings = parts.use(
    startSettings({ config, logger, sections: ['access', 'assistant', 'breakglass', 'elevation'] }),
  );
  const ruleSets = createRuleSetCache();
  const deps: WorkflowDeps = {
    settings,
    database,
    emitter,
    logger,
    vault: peers.client('vault', vault.EntitlementsService),
    emergency: peers.client('vault', emergency.EmergencyService),
    standing: peers.client('auth', emergencyStanding.EmergencyStandingService),
    directory: peers.client('auth', auth.DirectoryService),
    devices: peers.client('auth', devices.DeviceDirectoryService),
    decider: createDecider({ database, logger }, { cache: ruleSets }),
    evaluations: parts.use(createEvaluationPool()),
  };
  rpc.add(workflow.RequestsService, {
    listRequests: listRequests(deps),
    getRequest: getRequest(deps),
    createRequest: createRequest(deps),
    approveRequest: approveRequest(deps),
    denyRequest: denyRequest(deps),
    cancelRequest: cancelRequest(deps),
  });
  rpc.add(workflow.ProtectionService, {
    requestProtectionChange: requestProtectionChange(deps),
    describePolicy: describePolicy(deps),
  });
  rpc.add(workflow.GrantsService, {
    listGrants: listGrants(deps),
    getGrant: getGrant(deps),
    revokeGrant: revokeGrant(deps),
    getGrantCredentials: getGrantCredentials(deps),
    listResourceGrants: listResourceGrants(deps),
    listUserGrants: listUserGrants(deps),
  });
  rpc.add(workflow.AccessPoliciesService, {
    getAccessPolicy: getAccessPolicy(deps),
    putAccessPolicy: putAccessPolicy(deps),
  });
  addBreakglassHandlers(rpc, deps);
  addAssistantHandlers(rpc, deps, peers, config, store.platform);
  addEvidenceHandlers(rpc, deps);
  addTenancyHandlers(rpc, deps);
  rpc.add(accountStanding.AccountStandingService, { apply: applyAccountStanding(deps) });
  addRuleHandlers(rpc, deps);
  const pastRuleSets = addExplanationHandlers(rpc, deps);
  const bell = parts.use(startCommandBell({ database, connection: store.connection, logger }));
  addElevationHandlers(rpc, { ...deps, bell });
  parts.use(startSweep(deps, cluster, config.sweepIntervalMs));
  parts.use(startBreakglassSweep(deps, cluster, config.sweepIntervalMs));
  parts.use(startForgetting(deps, cluster));
  parts.use(startForgettingEvaluations(deps, cluster));
  parts.use(startForgettingReports(deps, cluster));
  return store.serve({
    restore: {
      endTenantAccess: endAccessAfterRestore({ emitter, logger }),
      // Versions that the database lost are given out again.
      onRestored: async () => {
        ruleSets.clear();
        pastRuleSets.clear();
      },
    },
    stopping: () => bell.stop(),
  });
}
