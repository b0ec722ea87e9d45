import * as auth from '@claviger/contracts/auth/v1/auth';
import * as devices from '@claviger/contracts/auth/v1/devices';
import * as emergencyRestriction from '@claviger/contracts/auth/v1/emergency_restriction';
import * as tenantStatus from '@claviger/contracts/cluster/v1/tenant_status';
import * as emergency from '@claviger/contracts/vault/v1/emergency';
import * as vault from '@claviger/contracts/vault/v1/vault';
import { type RunningService, readSecretFile } from '@claviger/service-kit';
import { startSettings } from '@claviger/settings';
import { openStoreService } from '@claviger/store-service';
import { startForgetting } from './assistant/forget-exchanges.ts';
import { openAssistant } from './assistant/open-assistant.ts';
import { withBreakglassAlerts } from './breakglass/alert.ts';
import { startBreakglassSweep } from './breakglass/sweep-breakglass.ts';
import type { WorkflowConfig } from './config.ts';
import { startSweep } from './duties/sweep.ts';
import { startCommandNotifier } from './elevation/command-notifier.ts';
import { startForgettingReports } from './elevation/forget-reports.ts';
import { createEvaluationPool } from './evaluation/evaluation-pool.ts';
import { MAX_EXPLAINED_RULES, readerOfRules } from './explanations/read-decision.ts';
import { migrations } from './migrate.ts';
import { registerHandlers } from './registry.ts';
import { createDecider } from './rules/decider.ts';
import { startForgettingEvaluations } from './rules/forget-evaluations.ts';
import { createRuleSetCache } from './rules/rule-set-cache.ts';
import type { WorkflowSchema } from './schema.ts';
import { endAccessAfterRestore } from './tenancy/end-access-after-restore.ts';
import { tenantHandlers } from './tenancy/tenant-handlers.ts';

/** Starts the workflow service: requests, decisions and grants. Its schema must have been migrated. */
export async function createWorkflowService(config: WorkflowConfig): Promise<RunningService> {
  await using store = await openStoreService<WorkflowSchema>({
    service: 'workflow',
    config,
    migrations,
    actorTokenPublicKey: readSecretFile(config.actorTokenPublicKeyFile),
    publishes: 'events',
    recordOutcome: withBreakglassAlerts,
  });
  const { database, emitter, logger, peers, rpc, disposables, cluster } = store;
  const settings = disposables.use(
    startSettings({ config, logger, sections: ['access', 'assistant', 'breakglass', 'elevation'] }),
  );
  const ruleSets = createRuleSetCache();
  const deps = {
    settings,
    database,
    emitter,
    logger,
    vault: peers.client('vault', vault.EntitlementsService),
    emergency: peers.client('vault', emergency.EmergencyService),
    emergencyRestriction: peers.client('auth', emergencyRestriction.EmergencyRestrictionService),
    directory: peers.client('auth', auth.DirectoryService),
    devices: peers.client('auth', devices.DeviceDirectoryService),
    decider: createDecider({ database, logger }, { cache: ruleSets }),
    evaluations: disposables.use(createEvaluationPool()),
  };
  const notifier = disposables.use(startCommandNotifier({ database, connection: store.connection, logger }));
  const pastRuleSets = createRuleSetCache(MAX_EXPLAINED_RULES);
  registerHandlers(rpc, {
    ...deps,
    ...openAssistant(deps, peers, config, store.platform),
    notifier,
    decidedBy: readerOfRules(database, pastRuleSets),
  });
  rpc.add(tenantStatus.TenantStatusService, tenantHandlers(deps));
  disposables.use(startSweep(deps, cluster, config.sweepIntervalMs));
  disposables.use(startBreakglassSweep(deps, cluster, config.sweepIntervalMs));
  disposables.use(startForgetting(deps, cluster));
  disposables.use(startForgettingEvaluations(deps, cluster));
  disposables.use(startForgettingReports(deps, cluster));
  return store.serve({
    restore: {
      endTenantAccess: endAccessAfterRestore({ emitter, logger }),
      // The restored database issues version numbers again that were already used.
      onRestored: async () => {
        ruleSets.clear();
        pastRuleSets.clear();
      },
    },
    stopping: () => notifier.stop(),
  });
}
