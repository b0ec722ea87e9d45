export { type DnsServer, startDnsServer } from './dns-server.ts';
export { eventually } from './eventually.ts';
export {
  connectNetwork,
  type Network,
  type NetworkAccess,
  type TestTenant,
  type TestUser,
} from './network.ts';
export { type CollectedSpan, type OtlpCollector, startOtlpCollector } from './otlp-collector.ts';
export { createRestClient, type RestAnswer, type RestClient } from './rest-client.ts';
export {
  type MigratedDatabase,
  type ScratchDatabase,
  type ScratchSchema,
  type ScratchServer,
  startMigratedDatabase,
  startScratchDatabase,
  startScratchServer,
} from './scratch-database.ts';
export { enrolSecondFactor, type SecondFactor, totp } from './second-factor.ts';
export { startSharedPostgres } from './shared-postgres.ts';
export { accessOf, type StartedNetwork, startNetwork } from './start-network.ts';
