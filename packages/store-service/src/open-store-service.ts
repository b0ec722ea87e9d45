import {
  type Cluster,
  createServiceReplicas,
  type EvictionGuard,
  joinCluster,
  openEvictionGuard,
  replicaHandlers,
  type ServiceReplicas,
} from '@claviger/cluster';
import * as anomaliesContract from '@claviger/contracts/auth/v1/anomalies';
import * as clusterContract from '@claviger/contracts/cluster/v1/health';
import * as replicasContract from '@claviger/contracts/cluster/v1/replicas';
import * as restoreContract from '@claviger/contracts/cluster/v1/restore';
import * as schemaContract from '@claviger/contracts/cluster/v1/schema';
import {
  createDatabase,
  type Database,
  type DatabaseOptions,
  type Migration,
  type SchemaHistory,
  schemaHistory,
} from '@claviger/database';
import {
  askMissingEvents,
  type Bus,
  createBus,
  createEmitter,
  createOutcomeRecorder,
  type Emitter,
  missingMessages,
  type OutboxSchema,
  type PublishedEvent,
  startAnomalyDuty,
  startRelay,
  storeAnomalies,
} from '@claviger/events';
import { createIdempotency, startKeyCleanup } from '@claviger/idempotency';
import { createJobQueues, type JobDefinition, type JobQueues } from '@claviger/jobs';
import { createPlatform, type Platform } from '@claviger/outbound';
import {
  openRestoreGuard,
  type RestoreGuard,
  type RestoreGuardOptions,
  type RestoreHandlersOptions,
  restoreHandlers,
} from '@claviger/restore';
import {
  createActorVerifier,
  createAnomalyReporter,
  createHealth,
  createLogger,
  createPeers,
  createRpcServer,
  type Health,
  type HealthCheck,
  type Logger,
  type Peers,
  productVersion,
  type RecordOutcome,
  type ReportAnomaly,
  type RpcServer,
  type RunningService,
  readSecretFile,
  refuseFailpointsInProduction,
  startTelemetry,
} from '@claviger/service-kit';
import { ownServersOf } from './own-servers.ts';
import type { StoreConfig } from './store-config.ts';
import { connectionOf } from './store-database.ts';

export interface StoreServiceOptions<DB> {
  /** The peer name, e.g. `vault`. */
  readonly service: string;
  readonly config: StoreConfig;
  readonly migrations: readonly Migration[];
  /** Public half of auth's key (SPKI, PEM), which verifies actor tokens. */
  readonly actorTokenPublicKey: string;
  /** `events` when the service publishes `event.*` messages besides audit events. */
  readonly publishes?: 'events';
  /** Jobs that the service may queue. A worker is started with `queues.work`. */
  readonly jobs?: readonly JobDefinition<never>[];
  /**
   * For audit, which has the events; the other services call audit. Returns the indexes of the events that
   * audit has not stored.
   */
  readonly findMissingEvents?: (
    database: Database<DB>,
    events: readonly PublishedEvent[],
  ) => Promise<number[]>;
  /** For auth, which stores it; the other services call auth. */
  readonly platformTenant?: (database: Database<DB>) => Promise<string | undefined>;
  /** Wraps the recorder of denied and failed calls. */
  readonly recordOutcome?: (record: RecordOutcome, logger: Logger) => RecordOutcome;
}

/**
 * A service with state during its start. Disposing it closes everything, unless `serve` was called; then
 * dispose the result of `serve`.
 */
export interface StoreService<DB> extends AsyncDisposable {
  readonly logger: Logger;
  readonly database: Database<DB>;
  readonly connection: DatabaseOptions;
  readonly bus: Bus;
  readonly emitter: Emitter;
  /** Authenticates events and jobs of this service; other keys are derived from it. */
  readonly macKey: Buffer;
  readonly queues: JobQueues;
  readonly cluster: Cluster;
  readonly replicas: ServiceReplicas;
  readonly peers: Peers;
  readonly rpc: RpcServer;
  /** Decides first whether a connection to an address that a user named is allowed. */
  readonly platform: Platform;
  readonly reportAnomaly: ReportAnomaly;
  readonly restore: RestoreDetection;
  readonly schemaHistory: () => Promise<SchemaHistory>;
  /**
   * Resources of the service itself. They are closed after calls are drained, the last one first, before all
   * others.
   */
  readonly disposables: AsyncDisposableStack;
  /** Starts serving; closes everything when that fails. */
  serve(options: ServingOptions<DB>): Promise<ServingStore>;
}

export interface ServingOptions<DB> {
  /** In addition to the checks of PostgreSQL, NATS and Redis. */
  readonly checks?: readonly HealthCheck[];
  /** A sealed service is live but not ready. */
  readonly sealed?: () => boolean;
  /** Runs before calls are drained; ends long polls. */
  readonly stopping?: () => void;
  readonly restore: RestoreOptions<DB>;
}

/** What a service does when its database was restored to an older state. */
export interface RestoreOptions<DB>
  extends Pick<RestoreHandlersOptions<DB>, 'endTenantAccess'>,
    Pick<RestoreGuardOptions<DB>, 'onRestored'> {}

/**
 * For a service that detects by itself, before or while it serves, that its database was restored to an older
 * state.
 */
export interface RestoreDetection {
  /**
   * Number of the last finished restore; 0 before the service serves. Comparisons with the database under
   * another epoch are void.
   */
  epoch(): number;
  /** As `RestoreGuard.reportEvidence`. Evidence found before the service serves takes effect when it does. */
  reportEvidence(evidence: string): void;
}

export interface ServingStore extends RunningService {
  /** The bound port, also when the configuration says 0. */
  readonly grpcPort: number;
}

const DRAIN_MS = 10_000;

/** Opens what all services with state need, on a migrated schema. Calls are answered after `serve`. */
export async function openStoreService<DB extends OutboxSchema>(
  options: StoreServiceOptions<DB>,
): Promise<StoreService<DB>> {
  const { service, config, migrations, jobs = [] } = options;
  const { node } = config;
  refuseFailpointsInProduction(config.environment);
  // Read all secrets before anything is opened: a file may be missing.
  const connection = connectionOf(config);
  const macKey = Buffer.from(readSecretFile(config.outboxMacKeyFile));
  const natsPassword = readSecretFile(config.nats.passwordFile);
  const redisPassword = readSecretFile(config.redis.passwordFile);
  const verifyActor = createActorVerifier({ publicKeyPem: options.actorTokenPublicKey, audience: service });

  const common = new AsyncDisposableStack();
  const logger = createLogger({ service, node, level: config.logLevel });
  const platform = createPlatform({
    ownServers: ownServersOf(config),
    openTargetsFile: config.outbound.openTargetsFile,
    onProblem: (problem) => logger.error(problem),
  });
  const telemetry = await startTelemetry({
    service,
    node,
    otlpEndpoint: config.telemetry.otlpEndpoint,
    logger,
  });
  common.defer(() => telemetry.shutdown());
  let health: Health | undefined;
  common.defer(() => health?.close());
  const database = createDatabase<DB>(connection);
  common.defer(() => database.close());
  const { url, user } = config.nats;
  const bus = common.use(createBus({ url, user, password: natsPassword, name: node, logger }));
  // Opened by `serve`; until then this replica leads nothing.
  let restore: RestoreGuard | undefined;
  let evidence: string | undefined;
  const mayLead = () => restore !== undefined && restore.problem() === undefined;
  const anomalies = common.use(
    createAnomalyReporter({
      logger,
      store: async (counted) => {
        // Nothing is written to a restored database before the restore is finished.
        if (!mayLead()) throw new Error('the service does not serve yet');
        await storeAnomalies(database, counted);
      },
    }),
  );
  const reportAnomaly: ReportAnomaly = (anomaly) =>
    anomalies.report({ ...anomaly, details: { ...anomaly.details, observedBy: node } });
  const peers = createPeers(config, reportAnomaly);
  common.defer(() => peers.close());
  const { host, port } = config.redis;
  const redis = { host, port, password: redisPassword };
  const queues = common.use(
    createJobQueues({ redis, macKey, logger, refuse: () => restore?.refuse() }, jobs),
  );
  const cluster = common.use(
    joinCluster({ service, version: productVersion, config, database, logger, mayLead, reportAnomaly }),
  );
  const publishers = {
    audit: bus.auditPublisher(
      missingMessages(
        options.findMissingEvents
          ? (events) => options.findMissingEvents!(database, events)
          : (events) => askMissingEvents(config, peers, events),
      ),
    ),
    ...(options.publishes === 'events' ? { event: bus.publisher } : {}),
    ...(jobs.length > 0 ? { job: queues.publisher } : {}),
  };
  const relay = common.use(startRelay({ database, logger, cluster, publishers }));
  common.use(startKeyCleanup({ database, cluster }));

  const emitter = createEmitter({ service, macKey, onRow: relay.expect });
  common.use(
    startAnomalyDuty({
      database,
      emitter,
      cluster,
      logger,
      platformTenant: options.platformTenant
        ? () => options.platformTenant!(database)
        : () => askPlatformTenant(peers),
    }),
  );
  const recorder = createOutcomeRecorder(database, emitter);
  const rpc = createRpcServer({
    config,
    logger,
    verifyActor,
    recordOutcome: options.recordOutcome?.(recorder, logger) ?? recorder,
    idempotency: createIdempotency({ database, macKey }),
    refuse: () => restore?.refuse(),
    reportAnomaly,
  });
  const replicas = createServiceReplicas(cluster, database);
  const history = () => schemaHistory(database, migrations);
  const disposables = new AsyncDisposableStack();
  const close = async () => {
    await disposables.disposeAsync();
    await common.disposeAsync();
  };
  let serves = false;
  return {
    logger,
    database,
    connection,
    bus,
    emitter,
    macKey,
    queues,
    cluster,
    replicas,
    peers,
    rpc,
    platform,
    reportAnomaly,
    restore: {
      epoch: () => restore?.epoch() ?? 0,
      reportEvidence: (found) => {
        evidence ??= found;
        restore?.reportEvidence(found);
      },
    },
    schemaHistory: history,
    disposables,
    serve: async ({ checks = [], sealed, stopping, restore: restoring }) => {
      serves = true;
      let eviction: EvictionGuard;
      try {
        const opening = [
          openEvictionGuard(redis).then((guard) => common.use(guard)),
          openRestoreGuard({ database, redis, logger, onRestored: restoring.onRestored }).then((guard) =>
            common.use(guard),
          ),
        ] as const;
        // Both wait for Redis. When one fails, the other must be open before everything is closed.
        await Promise.allSettled(opening);
        [eviction, restore] = await Promise.all(opening);
        if (evidence !== undefined) restore.reportEvidence(evidence);
      } catch (error) {
        await close();
        throw error;
      }
      const probes = createHealth({
        service,
        config,
        version: productVersion,
        checks: [
          { name: 'database', required: true, check: () => database.ping() },
          { name: 'nats', required: false, check: () => bus.ping() },
          { name: 'redis eviction policy', required: true, check: eviction.check },
          { name: 'open targets', required: false, check: async () => requireOpenTargets(platform) },
          ...checks,
        ],
        ...(sealed ? { sealed } : {}),
        restoreUnfinished: () => restore?.problem() !== undefined,
      });
      health = probes;
      rpc.add(clusterContract.HealthService, probes.handlers);
      rpc.add(replicasContract.ReplicasService, replicaHandlers(replicas));
      rpc.add(schemaContract.SchemaService, { getSchemaHistory: history });
      rpc.add(
        restoreContract.RestoreService,
        restoreHandlers({
          service,
          node,
          database,
          guard: restore,
          endTenantAccess: restoring.endTenantAccess,
          record: (tx, tenantId, epoch, ended) =>
            emitter.auditDuty(tx, {
              tenantId,
              action: 'restore.access-ended',
              outcome: 'allowed',
              subjectType: 'tenant',
              subjectId: tenantId,
              resourceId: '',
              requestId: '',
              reason: 'The database was restored to an older state.',
              details: { service, epoch, ...ended },
            }),
        }),
      );
      let grpcPort: number;
      try {
        grpcPort = await rpc.listen();
        await probes.listen();
      } catch (error) {
        await rpc.drain(0);
        await close();
        throw error;
      }
      probes.setReady(true);
      logger.info({ grpcPort }, `${service} serves`);
      return {
        grpcPort,
        [Symbol.asyncDispose]: async () => {
          probes.setReady(false);
          stopping?.();
          await rpc.drain(DRAIN_MS);
          await close();
        },
      };
    },
    [Symbol.asyncDispose]: async () => {
      if (!serves) await close();
    },
  };
}

function requireOpenTargets(platform: Platform): void {
  const problem = platform.problem();
  if (problem !== undefined) throw new Error(problem);
}

async function askPlatformTenant(peers: Peers): Promise<string | undefined> {
  const client = peers.client('auth', anomaliesContract.AnomaliesService);
  const { tenantId } = await client.getPlatformTenant({}, { timeoutMs: 3_000 });
  return tenantId || undefined;
}
