import { createServiceReplicas, joinCluster, replicaHandlers } from '@claviger/cluster';
import { audit, breakglassAudit, cluster, replicas, schema } from '@claviger/contracts';
import { createDatabase, type Database, migrate, schemaHistory } from '@claviger/database';
import { createBus, createEmitter, createOutcomeRecorder, startRelay } from '@claviger/events';
import { createIdempotency, startKeyCleanup } from '@claviger/idempotency';
import { createJobQueues, type JobDefinition } from '@claviger/jobs';
import {
  createActorVerifier,
  createHealth,
  createLogger,
  createPeers,
  createRpcServer,
  type Logger,
  productVersion,
  type RunningService,
  readSecretFile,
  refuseFailpointsInProduction,
  startTelemetry,
} from '@claviger/service-kit';
import { startSettings } from '@claviger/settings';
import type { AuditDeps } from './audit-deps.ts';
import { buildReportJob } from './compliance/building/build-report-job.ts';
import { serveCompliance } from './compliance/serve-compliance.ts';
import type { AuditConfig } from './config.ts';
import { getEvent } from './events/get-event.ts';
import { getSummary } from './events/get-summary.ts';
import { listBreakglassEvents } from './events/list-breakglass-events.ts';
import { listEvents } from './events/list-events.ts';
import { exportEvents } from './exporting/export-events.ts';
import { healthChecks } from './health-checks.ts';
import { ingestEvents } from './ingestion/ingest-events.ts';
import { readKeys } from './keys.ts';
import { getConsistencyProof } from './proofs/get-consistency-proof.ts';
import { getInclusionProof } from './proofs/get-inclusion-proof.ts';
import { getTreeHead } from './proofs/get-tree-head.ts';
import { listKeys } from './proofs/list-keys.ts';
import { listTreeHeads } from './proofs/list-tree-heads.ts';
import { verifyReceipt } from './proofs/verify-receipt.ts';
import { type AuditSchema, migrations } from './schema.ts';
import { compareHeads } from './sealing/compare-heads.ts';
import { openHeadsFile } from './sealing/heads-file.ts';
import { startSealer } from './sealing/sealer.ts';
import { serveSiem } from './siem/serve-siem.ts';
import { siemPolicy } from './siem/siem-policy.ts';
import { addTenancyHandlers } from './tenancy/add-tenancy-handlers.ts';

const SERVICE = 'audit';
const DRAIN_MS = 10_000;

/** Brings the schema to this version. */
export async function migrateAudit({ database }: AuditConfig): Promise<void> {
  const ownerPassword = readSecretFile(database.ownerPasswordFile);
  await migrate({ ...database, ownerPassword }, migrations);
}

/** The pools of this service's database. */
export function openDatabase({ database, node }: AuditConfig): Database<AuditSchema> {
  return createDatabase<AuditSchema>({
    ...database,
    password: readSecretFile(database.passwordFile),
    systemPassword: readSecretFile(database.systemPasswordFile),
    applicationName: node,
  });
}

/** Starts the service on a migrated schema; resolves when it serves. Throws, with all closed again, when it cannot. */
export async function createAuditService(
  config: AuditConfig,
  overrides: { readonly logger?: Logger } = {},
): Promise<RunningService> {
  refuseFailpointsInProduction(config.environment);
  await using stack = new AsyncDisposableStack();
  const { node, sealing } = config;
  const logger = overrides.logger ?? createLogger({ service: SERVICE, node, level: config.logLevel });
  const telemetry = startTelemetry({ service: SERVICE, node, otlpEndpoint: config.telemetry.otlpEndpoint });
  stack.defer(() => telemetry.shutdown());
  const keys = readKeys(config);
  const database = openDatabase(config);
  stack.defer(() => database.close());
  const { url, user, passwordFile } = config.nats;
  const bus = stack.use(createBus({ url, user, password: readSecretFile(passwordFile), name: node, logger }));
  const emitter = createEmitter({ service: SERVICE, macKey: keys.outboxMac });
  const replica = stack.use(
    joinCluster({ service: SERVICE, version: productVersion, config, database, logger }),
  );
  const { host, port, passwordFile: redisPasswordFile } = config.redis;
  const redis = { host, port, password: readSecretFile(redisPasswordFile) };
  const queues = stack.use(
    createJobQueues({ redis, macKey: keys.outboxMac, logger }, [buildReportJob as JobDefinition<never>]),
  );
  stack.use(
    startRelay({
      database,
      logger,
      cluster: replica,
      publishers: { audit: bus.publisher, event: bus.publisher, job: queues.publisher },
    }),
  );

  const headsFile = stack.use(await openHeadsFile(config.headsFile, logger));
  const broken = await compareHeads({ database, headsFile, publicKey: keys.treeHeadPublic });
  for (const [tenantId, problem] of broken)
    logger.error(
      { tenantId, problem },
      'the audit log of a tenant contradicts its heads outside: it is not continued',
    );
  const sealer = stack.use(
    startSealer({ cluster: replica, database, emitter, logger, keys, headsFile, ...sealing }, broken),
  );
  stack.use(
    bus.consume({
      durable: SERVICE,
      subject: 'audit.>',
      batch: 200,
      handle: (messages) => ingestEvents({ database, logger, macs: keys.macs }, messages),
    }),
  );

  stack.use(startKeyCleanup({ database, cluster: replica }));
  const rpcServer = createRpcServer({
    config,
    logger,
    verifyActor: createActorVerifier({
      publicKeyPem: readSecretFile(config.actorTokenPublicKeyFile),
      audience: SERVICE,
    }),
    recordOutcome: createOutcomeRecorder(database, emitter),
    idempotency: createIdempotency({ database, macKey: keys.outboxMac }),
  });
  const health = createHealth({
    service: SERVICE,
    config,
    version: productVersion,
    checks: healthChecks({ database, bus, headsFile, sealer, warnAfterMs: sealing.warnAfterMs }),
  });
  const deps: AuditDeps = { database, emitter, logger, keys };
  rpcServer.add(audit.AuditServiceService, {
    listEvents: listEvents(deps),
    getEvent: getEvent(deps),
    exportEvents: exportEvents(deps),
    getSummary: getSummary(deps),
    getTreeHead: getTreeHead(deps),
    listTreeHeads: listTreeHeads(deps),
    getInclusionProof: getInclusionProof(deps),
    getConsistencyProof: getConsistencyProof(deps),
    verifyReceipt: verifyReceipt(deps),
    listKeys: listKeys(deps),
  });
  rpcServer.add(breakglassAudit.BreakglassAuditServiceService, {
    listBreakglassEvents: listBreakglassEvents(deps),
  });
  const settings = stack.use(startSettings({ config, logger, sections: ['siem'] }));
  stack.use(serveSiem(rpcServer, { ...deps, cluster: replica, settings, policy: siemPolicy(config) }));
  rpcServer.add(replicas.ReplicasServiceService, replicaHandlers(createServiceReplicas(replica, database)));
  addTenancyHandlers(rpcServer, { ...deps, treeHeadKey: keys.treeHead });
  const peers = createPeers(config);
  stack.defer(() => peers.close());
  const compliance = { ...deps, keys, headsFile, node, version: productVersion, config: config.compliance };
  stack.use(serveCompliance(rpcServer, { ...compliance, cluster: replica, queues, peers }));
  rpcServer.add(cluster.HealthServiceService, health.handlers);
  rpcServer.add(schema.SchemaServiceService, {
    getSchemaHistory: () => schemaHistory(database, migrations),
  });
  await rpcServer.listen();
  stack.defer(() => rpcServer.drain(DRAIN_MS));
  await health.listen();
  stack.defer(() => health.close());
  health.setReady(true);
  stack.defer(() => health.setReady(false));

  const running = stack.move();
  return { [Symbol.asyncDispose]: () => running.disposeAsync() };
}
