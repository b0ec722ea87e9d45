import { createHmac, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { joinCluster, leadershipMigration } from '@claviger/cluster';
import { cluster } from '@claviger/contracts';
import {
  createDatabase,
  type DatabaseOptions,
  type Migration,
  migrate,
  migrationsIn,
  tenantStandingsMigration,
} from '@claviger/database';
import {
  createBus,
  createEmitter,
  createOutcomeRecorder,
  outboxMigration,
  startRelay,
} from '@claviger/events';
import { createIdempotency, idempotencyMigration, startKeyCleanup } from '@claviger/idempotency';
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
import { openAdministration } from './administration.ts';
import { withNotedReasons } from './audit-reason.ts';
import { openClusterAdministration } from './cluster/open-cluster-administration.ts';
import { type AuthConfig, hashParameters } from './config.ts';
import type { AuthDeps } from './deps.ts';
import { addDeviceHandlers } from './devices/add-device-handlers.ts';
import { addHandlers } from './handlers.ts';
import { startHousekeeping } from './housekeeping.ts';
import { addSealHandlers } from './mfa/add-seal-handlers.ts';
import { openTenantKeys } from './mfa/tenant-keys.ts';
import { createPasswordHasher } from './passwords/password-hasher.ts';
import type { AuthSchema } from './schema.ts';
import { createAccessTokens } from './sign-in/access-token.ts';
import { createLiveness } from './sign-in/liveness.ts';
import { addTenantHandlers } from './tenants/add-tenant-handlers.ts';
import { startTenantDuties } from './tenants/start-tenant-duties.ts';
import { tenantPeers } from './tenants/tenant-stores.ts';

const DRAIN_MS = 10_000;

/** Brings the schema to this version. */
export async function migrateAuth(config: AuthConfig): Promise<void> {
  const { database } = config;
  await migrate({ ...database, ownerPassword: readSecretFile(database.ownerPasswordFile) }, migrations());
}

const migrations = (): Migration[] => [
  outboxMigration,
  leadershipMigration,
  idempotencyMigration,
  tenantStandingsMigration,
  ...migrationsIn(join(import.meta.dirname, 'migrations')),
];

/** Starts one replica; resolves when it serves. */
export async function createAuthService(config: AuthConfig): Promise<RunningService> {
  refuseFailpointsInProduction(config.environment);
  const logger = createLogger({ service: 'auth', node: config.node, level: config.logLevel });
  const telemetry = startTelemetry({
    service: 'auth',
    node: config.node,
    otlpEndpoint: config.telemetry.otlpEndpoint,
  });
  const pepper = Buffer.from(readSecretFile(config.pepperFile), 'hex');
  if (pepper.length < 32) throw new Error(`${config.pepperFile} must hold at least 64 hexadecimal digits.`);
  const accessKey = signingKey(config.accessTokenKeyFile);
  const actorKey = signingKey(config.actorTokenKeyFile);

  const database = createDatabase<AuthSchema>(databaseOptions(config));
  const bus = createBus({
    url: config.nats.url,
    user: config.nats.user,
    password: readSecretFile(config.nats.passwordFile),
    name: config.node,
    logger,
  });
  const liveness = createLiveness({
    host: config.redis.host,
    port: config.redis.port,
    password: readSecretFile(config.redis.passwordFile),
    logger,
  });
  const macKey = Buffer.from(readSecretFile(config.outboxMacKeyFile));
  const emitter = createEmitter({ service: 'auth', macKey });
  const tenantKeys = await openTenantKeys(database, config.rootKey, logger);
  const replica = joinCluster({ service: 'auth', version: productVersion, config, database, logger });
  const keyCleanup = startKeyCleanup({ database, cluster: replica });
  const relay = startRelay({ database, logger, cluster: replica, publishers: { audit: bus.publisher } });
  const housekeeping = startHousekeeping({ database, cluster: replica });

  const rpcServer = createRpcServer({
    config,
    logger,
    verifyActor: createActorVerifier({
      publicKeyPem: createPublicKey(actorKey).export({ type: 'spki', format: 'pem' }) as string,
      audience: 'auth',
    }),
    recordOutcome: withNotedReasons(createOutcomeRecorder(database, emitter)),
    idempotency: createIdempotency({ database, macKey }),
  });
  const health = createHealth({
    service: 'auth',
    config,
    version: productVersion,
    checks: [
      { name: 'database', required: true, check: () => database.ping() },
      { name: 'redis', required: false, check: () => liveness.ping() },
      { name: 'root key provider', required: false, check: tenantKeys.seal.checkProvider },
      { name: 'nats', required: false, check: () => bus.ping() },
    ],
    sealed: tenantKeys.seal.isSealed,
  });
  const administration = await openAdministration({
    config,
    database,
    tenantKeys,
    migrations: migrations(),
    logger,
  });
  const peers = createPeers(config);
  const deps: AuthDeps = {
    config,
    database,
    emitter,
    logger,
    passwords: await createPasswordHasher({
      ...hashParameters(config),
      ...config.passwordQueue,
      concurrency: administration.atStart.hashConcurrency || config.passwordQueue.concurrency,
      pepper,
    }),
    settings: administration.settings,
    accessTokens: createAccessTokens(accessKey),
    liveness,
    tenantKeys,
    tenantPeers: tenantPeers(config, peers),
    actorKey,
    nameHash: nameHasher(pepper),
  };
  addHandlers(rpcServer, deps);
  addTenantHandlers(rpcServer, deps);
  addDeviceHandlers(rpcServer, deps, peers);
  const tenantDuties = startTenantDuties(deps, replica);
  administration.addHandlers(rpcServer, deps);
  const clusterAdministration = openClusterAdministration(rpcServer, {
    config,
    database,
    emitter,
    logger,
    cluster: replica,
  });
  rpcServer.add(cluster.HealthServiceService, health.handlers);
  addSealHandlers(rpcServer, { config, database, emitter, logger, tenantKeys });
  await rpcServer.listen();
  await health.listen();
  health.setReady(true);
  logger.info('auth serves');

  return {
    [Symbol.asyncDispose]: async () => {
      health.setReady(false);
      await rpcServer.drain(DRAIN_MS);
      await administration[Symbol.asyncDispose]();
      await tenantDuties[Symbol.asyncDispose]();
      await housekeeping[Symbol.asyncDispose]();
      await keyCleanup[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
      clusterAdministration[Symbol.dispose]();
      await replica[Symbol.asyncDispose]();
      await bus[Symbol.asyncDispose]();
      peers.close();
      liveness.close();
      tenantKeys.close();
      await database.close();
      await health.close();
      await telemetry.shutdown();
    },
  };
}

function databaseOptions({ database, node }: AuthConfig): DatabaseOptions {
  return {
    ...database,
    password: readSecretFile(database.passwordFile),
    systemPassword: readSecretFile(database.systemPasswordFile),
    applicationName: node,
  };
}

function signingKey(file: string): KeyObject {
  const key = createPrivateKey(readSecretFile(file));
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${file} must hold an Ed25519 private key.`);
  return key;
}

/** A key of its own, derived from the pepper: two uses of one key could be played against each other. */
function nameHasher(pepper: Buffer): (canonicalLogin: string) => string {
  const key = createHmac('sha256', pepper).update('claviger/sign-in-name/v1').digest();
  return (canonicalLogin) => createHmac('sha256', key).update(canonicalLogin).digest('hex');
}
