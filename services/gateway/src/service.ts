import { readFileSync } from 'node:fs';
import { openEvictionGuard, registerReplica } from '@claviger/cluster';
import { openApiDocument } from '@claviger/contracts';
import {
  createAnomalyReporter,
  createHealth,
  createLogger,
  createPeers,
  productVersion,
  type ReportAnomaly,
  type RunningService,
  readSecretFile,
  refuseFailpointsInProduction,
  startTelemetry,
} from '@claviger/service-kit';
import { startSettings } from '@claviger/settings';
import { createAccessTokenVerifier } from './authentication/access-token.ts';
import { createActorTokens } from './authentication/actor-tokens.ts';
import { createAuthenticator } from './authentication/authenticator.ts';
import { createIntrospect } from './authentication/introspect.ts';
import type { GatewayConfig } from './config.ts';
import { createEdgeServer } from './edge/edge-server.ts';
import { createProxyTrust } from './edge/proxy-trust.ts';
import { createEmergencyNotice } from './health/emergency-notice.ts';
import { healthOperations } from './health/health-operations.ts';
import { healthRoutes } from './health/health-routes.ts';
import { createPeersHealth, isUsable } from './health/peer-health.ts';
import { createLimitKeys } from './limits/limit-keys.ts';
import { createLocalLimiter } from './limits/local-limiter.ts';
import { createRedisGate } from './limits/redis-gate.ts';
import { createTiers } from './limits/tiers.ts';
import { documentRoutes } from './pages/document-routes.ts';
import { resetPage } from './pages/reset-page.ts';
import { setupPage } from './pages/setup-page.ts';
import { createRouter } from './routes/router.ts';
import { sendAnomalies } from './send-anomalies.ts';

const DRAIN_TIMEOUT_MS = 10_000;
const REDIS_START_MS = 2_000;

export interface GatewayService extends RunningService {
  /** The bound ports; they differ from the configuration if it has 0. */
  readonly httpPort: number;
  readonly healthPort: number;
}

/** Longest waits for Redis and peers; defaults apply when absent. */
export interface Patience {
  readonly redisMs?: number;
  readonly peersMs?: number;
}

/** Starts the REST edge. It is stateless: its data is in the configuration, in Redis, and at its peers. */
export async function createGatewayService(
  config: GatewayConfig,
  patience: Patience = {},
): Promise<GatewayService> {
  refuseFailpointsInProduction(config.environment);
  const version = productVersion;
  const logger = createLogger({ service: 'gateway', node: config.node, level: config.logLevel });
  if (config.rateLimits === 'off') logger.warn('request limits are OFF: for measurements only');
  const redisPassword = readSecretFile(config.redis.passwordFile);
  const redis = { host: config.redis.host, port: config.redis.port, password: redisPassword };
  const eviction = await openEvictionGuard(redis);
  const { otlpEndpoint } = config.telemetry;
  const telemetry = await startTelemetry({ service: 'gateway', node: config.node, otlpEndpoint, logger });
  const gate = createRedisGate({
    redis,
    limits: config.rateLimits === 'on',
    local: createLocalLimiter(config.replicas),
    logger,
    commandTimeoutMs: patience.redisMs,
  });
  const anomalies = createAnomalyReporter({ logger, store: (counted) => sendAnomalies(peers, counted) });
  const reportAnomaly: ReportAnomaly = (anomaly) =>
    anomalies.report({ ...anomaly, details: { ...anomaly.details, observedBy: config.node } });
  const peers = createPeers(config, reportAnomaly);
  const keys = createLimitKeys(redisPassword);
  const tiers = createTiers(config.limits);
  const authenticator = createAuthenticator({
    verifyAccessToken: createAccessTokenVerifier(readFileSync(config.accessTokenPublicKeyFile, 'utf8')),
    actorTokens: createActorTokens(),
    gate,
    keys,
    tiers,
    reportAnomaly,
    introspect: createIntrospect(peers, patience.peersMs),
    replicas: config.replicas,
  });
  const peersHealth = createPeersHealth(config, peers, patience.peersMs);
  let accepting = true;
  const stopping = new AbortController();
  const shared = { authenticator, gate, keys, tiers, logger };
  const router = createRouter({ ...shared, peers, stopping: stopping.signal }, [
    ...healthRoutes({
      ...shared,
      node: config.node,
      version,
      peersHealth,
      emergencyNotice: createEmergencyNotice(peers, logger),
      accepting: () => accepting,
    }),
    ...documentRoutes(
      JSON.stringify(
        openApiDocument({ version, serverUrl: config.http.publicUrl, ownPaths: healthOperations }),
      ),
    ),
    setupPage,
    resetPage,
  ]);
  const edge = createEdgeServer({
    tls: config.http,
    proxyTrust: createProxyTrust(config.http),
    logger,
    ...router,
  });
  const health = createHealth({
    service: 'gateway',
    config,
    version,
    checks: [
      {
        name: 'peers',
        required: true,
        check: async () => {
          const bad = (await peersHealth()).find((peer) => !isUsable(peer));
          if (bad) throw new Error(`${bad.service} is ${bad.status}`);
        },
      },
      { name: 'redis', required: false, check: () => gate.ping() },
      { name: 'redis eviction policy', required: true, check: eviction.check },
    ],
  });
  await gate.connected(patience.redisMs ?? REDIS_START_MS);
  const replica = registerReplica({
    service: 'gateway',
    node: config.node,
    version,
    redis,
    logger,
    reportAnomaly,
  });
  const settings = startSettings({ config, logger, sections: [] });
  const httpPort = await edge.listen(config.http.listen);
  const healthPort = await health.listen();
  health.setReady(true);
  logger.info({ port: httpPort }, 'the gateway listens');
  return {
    httpPort,
    healthPort,
    [Symbol.asyncDispose]: async () => {
      accepting = false;
      health.setReady(false);
      // Ends waiting calls of agents; they reconnect to another gateway.
      stopping.abort();
      // Stop accepting connections first, because the following steps may wait.
      await edge.stop(DRAIN_TIMEOUT_MS);
      await replica[Symbol.asyncDispose]();
      await settings[Symbol.asyncDispose]();
      await anomalies[Symbol.asyncDispose]();
      peers.close();
      gate.close();
      await eviction[Symbol.asyncDispose]();
      await health.close();
      await telemetry.shutdown();
    },
  };
}
