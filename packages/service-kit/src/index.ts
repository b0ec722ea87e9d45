export { type Actor, type DeviceClaims, peopleBehind, permits, withinSites } from './actor.ts';
export {
  ACTOR_TOKEN_TTL_SECONDS,
  type ActorVerifier,
  createActorVerifier,
  signActorToken,
} from './actor-token.ts';
export { addressPrefix } from './address-prefix.ts';
export { alignDelay } from './align-delay.ts';
export { ALERTS, type Alert, type Anomaly, anomalyAction, type ReportAnomaly } from './anomaly.ts';
export { type AnomalyReporter, type CountedAnomaly, createAnomalyReporter } from './anomaly-reporter.ts';
export type { RecordOutcome } from './audit-trail.ts';
export type { AuditSubject, CallContext, IdempotentCall } from './call-context.ts';
export { changedNothing } from './changed-nothing.ts';
export {
  type CallOptions,
  createPeers,
  type Peers,
  type ReplicaAnswer,
  requireEvery,
  type ServiceClient,
} from './client.ts';
export {
  type BaseConfig,
  baseConfigSchema,
  loadConfig,
  splitAddress,
} from './config.ts';
export { failpoint, refuseFailpointsInProduction } from './failpoints.ts';
export type { DepsOf, Handler, Handlers } from './handlers.ts';
export { createHealth, type Health, type HealthCheck } from './health.ts';
export type { IdempotencyGuard } from './idempotent-call.ts';
export { type RunningService, runService, type ServiceProgram } from './lifecycle.ts';
export { createLogger, type Logger } from './logger.ts';
export { otlpEndpointProblem } from './otlp-endpoint.ts';
export { createPace, type Pace } from './pace.ts';
export { productVersion } from './product-version.ts';
export { type Lookup, systemLookup } from './replica-addresses.ts';
export { readSecretFile } from './secret-file.ts';
export { createRpcServer, type RpcServer } from './server.ts';
export { currentTraceparent, inSpan, inSpans, SpanKind, startTelemetry } from './telemetry.ts';
