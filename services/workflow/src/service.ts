import { createServiceReplicas, joinCluster, replicaHandlers } from '@claviger/cluster';
import {
  auth,
  cluster,
  devices,
  emergency,
  emergencyStanding,
  replicas,
  schema,
  vault,
  workflow,
} from '@claviger/contracts';
import { createDatabase, schemaHistory } from '@claviger/database';
import { createBus, createEmitter, createOutcomeRecorder, startRelay } from '@claviger/events';
import { createIdempotency, startKeyCleanup } from '@claviger/idempotency';
import {
  createActorVerifier,
  createHealth,
  createLogger,
  createPeers,
  createRpcServer,
  productVersion,
  type RunningService,
  readSecretFile,
  refuseFailpointsInProduction,
  startTelemetry,
} from '@claviger/service-kit';
import { startSettings } from '@claviger/settings';
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
import { addEvidenceHandlers } from './evidence/add-evidence-handlers.ts';
import { addExplanationHandlers } from './explanations/explanation-handlers.ts';
import { getGrant } from './grants/get-grant.ts';
import { getGrantCredentials } from './grants/get-grant-credentials.ts';
import { listGrants } from './grants/list-grants.ts';
import { listResourceGrants } from './grants/list-resource-grants.ts';
import { listUserGrants } from './grants/list-user-grants.ts';
import { revokeGrant } from './grants/revoke-grant.ts';
import { migrations } from './migrate.ts';
import { getAccessPolicy } from './policies/get-access-policy.ts';
import { putAccessPolicy } from './policies/put-access-policy.ts';
import { approveRequest } from './requests/approve-request.ts';
import { cancelRequest } from './requests/cancel-request.ts';
import { createRequest } from './requests/create-request.ts';
import { denyRequest } from './requests/deny-request.ts';
import { getRequest } from './requests/get-request.ts';
import { listRequests } from './requests/list-requests.ts';
import { addRuleHandlers } from './rules/add-rule-handlers.ts';
import { createDecider } from './rules/decider.ts';
import { startForgettingEvaluations } from './rules/forget-evaluations.ts';
import type { WorkflowSchema } from './schema.ts';
import { addTenancyHandlers } from './tenancy/add-tenancy-handlers.ts';

const DRAIN_MS = 10_000;

/** Starts the workflow service: requests, decisions and grants. Its schema must have been migrated. */
export async function createWorkflowService(
  config: WorkflowConfig,
  overrides: Partial<Pick<WorkflowDeps, 'vault' | 'directory'>> = {},
): Promise<RunningService> {
  refuseFailpointsInProduction(config.environment);
  const telemetry = startTelemetry({
    service: 'workflow',
    node: config.node,
    otlpEndpoint: config.telemetry.otlpEndpoint,
  });
  const logger = createLogger({ service: 'workflow', node: config.node, level: config.logLevel });
  const connection = {
    ...config.database,
    password: readSecretFile(config.database.passwordFile),
    systemPassword: readSecretFile(config.database.systemPasswordFile),
    applicationName: config.node,
  };
  const database = createDatabase<WorkflowSchema>(connection);
  const bus = createBus({
    url: config.nats.url,
    user: config.nats.user,
    password: readSecretFile(config.nats.passwordFile),
    name: config.node,
    logger,
  });
  const peers = createPeers(config);
  const macKey = Buffer.from(readSecretFile(config.outboxMacKeyFile));
  const emitter = createEmitter({ service: 'workflow', macKey });
  const settings = startSettings({
    config,
    logger,
    sections: ['access', 'assistant', 'breakglass', 'elevation'],
  });
  const deps: WorkflowDeps = {
    settings,
    database,
    emitter,
    logger,
    vault: overrides.vault ?? peers.client('vault', vault.EntitlementsServiceService),
    emergency: peers.client('vault', emergency.EmergencyServiceService),
    standing: peers.client('auth', emergencyStanding.EmergencyStandingServiceService),
    directory: overrides.directory ?? peers.client('auth', auth.DirectoryServiceService),
    devices: peers.client('auth', devices.DeviceDirectoryServiceService),
    decider: createDecider({ database, logger }),
  };
  const rpcServer = createRpcServer({
    config,
    logger,
    verifyActor: createActorVerifier({
      publicKeyPem: readSecretFile(config.actorTokenPublicKeyFile),
      audience: 'workflow',
    }),
    recordOutcome: withBreakglassAlerts(logger, createOutcomeRecorder(database, emitter)),
    idempotency: createIdempotency({ database, macKey }),
  });
  const health = createHealth({
    service: 'workflow',
    config,
    version: productVersion,
    checks: [
      { name: 'database', required: true, check: () => database.ping() },
      { name: 'nats', required: false, check: () => bus.ping() },
    ],
  });
  rpcServer.add(workflow.RequestsServiceService, {
    listRequests: listRequests(deps),
    getRequest: getRequest(deps),
    createRequest: createRequest(deps),
    approveRequest: approveRequest(deps),
    denyRequest: denyRequest(deps),
    cancelRequest: cancelRequest(deps),
  });
  rpcServer.add(workflow.GrantsServiceService, {
    listGrants: listGrants(deps),
    getGrant: getGrant(deps),
    revokeGrant: revokeGrant(deps),
    getGrantCredentials: getGrantCredentials(deps),
    listResourceGrants: listResourceGrants(deps),
    listUserGrants: listUserGrants(deps),
  });
  rpcServer.add(workflow.AccessPoliciesServiceService, {
    getAccessPolicy: getAccessPolicy(deps),
    putAccessPolicy: putAccessPolicy(deps),
  });
  addBreakglassHandlers(rpcServer, deps);
  addAssistantHandlers(rpcServer, deps, peers, config);
  addEvidenceHandlers(rpcServer, deps);
  addTenancyHandlers(rpcServer, deps);
  addRuleHandlers(rpcServer, deps);
  addExplanationHandlers(rpcServer, deps);
  const bell = startCommandBell({ database, connection, logger });
  addElevationHandlers(rpcServer, { ...deps, bell });
  rpcServer.add(cluster.HealthServiceService, health.handlers);
  rpcServer.add(schema.SchemaServiceService, {
    getSchemaHistory: () => schemaHistory(database, migrations),
  });

  const replica = joinCluster({ service: 'workflow', version: productVersion, config, database, logger });
  rpcServer.add(replicas.ReplicasServiceService, replicaHandlers(createServiceReplicas(replica, database)));
  const keyCleanup = startKeyCleanup({ database, cluster: replica });
  const relay = startRelay({
    database,
    logger,
    cluster: replica,
    publishers: { audit: bus.publisher, event: bus.publisher },
  });
  const sweep = startSweep(deps, replica, config.sweepIntervalMs);
  const breakglassSweep = startBreakglassSweep(deps, replica, config.sweepIntervalMs);
  const forgetting = startForgetting(deps, replica);
  const forgettingEvaluations = startForgettingEvaluations(deps, replica);
  await rpcServer.listen();
  await health.listen();
  health.setReady(true);
  logger.info({ listen: config.grpc.listen }, 'workflow is ready');

  return {
    [Symbol.asyncDispose]: async () => {
      health.setReady(false);
      bell.stop();
      await rpcServer.drain(DRAIN_MS);
      await bell[Symbol.asyncDispose]();
      await settings[Symbol.asyncDispose]();
      await sweep[Symbol.asyncDispose]();
      await forgetting[Symbol.asyncDispose]();
      await forgettingEvaluations[Symbol.asyncDispose]();
      await breakglassSweep[Symbol.asyncDispose]();
      await keyCleanup[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
      await replica[Symbol.asyncDispose]();
      await bus[Symbol.asyncDispose]();
      peers.close();
      await database.close();
      await health.close();
      await telemetry.shutdown();
      logger.info('workflow has stopped');
    },
  };
}
