import { createHmac, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { createRegisteredReplicas } from '@claviger/cluster';
import * as seal from '@claviger/contracts/cluster/v1/seal';
import * as vault from '@claviger/contracts/vault/v1/vault';
import * as accountStatus from '@claviger/contracts/workflow/v1/account_status';
import { type RunningService, readSecretFile } from '@claviger/service-kit';
import { migrateStore, openStoreService, storeMigrations } from '@claviger/store-service';
import { startAccountStatusDeliveries } from './account-status/deliver-account-status.ts';
import { withNotedReasons } from './audit-reason.ts';
import { replicasClients } from './cluster/deps.ts';
import { type AuthConfig, hashParameters } from './config.ts';
import { startHousekeeping } from './housekeeping.ts';
import { platformTenantId } from './license/license-store.ts';
import { authSealHandlers } from './mfa/seal-handlers.ts';
import { openTenantKeys } from './mfa/tenant-keys.ts';
import { createPasswordHasher } from './passwords/password-hasher.ts';
import { registerHandlers } from './registry.ts';
import type { AuthSchema } from './schema.ts';
import { createOwnSettings, readPasswordSettings } from './settings/own-settings.ts';
import { settingsSource } from './settings/settings-source.ts';
import { createAccessTokens } from './sign-in/access-token.ts';
import { createLiveness } from './sign-in/liveness.ts';
import { endAccessAfterRestore } from './tenants/end-access-after-restore.ts';
import { startTenantDuties } from './tenants/start-tenant-duties.ts';
import { tenantPeers } from './tenants/tenant-stores.ts';
import { schemaHistories } from './updates/schema-histories.ts';
import { startOwnReplica } from './updates/start-own-replica.ts';

const migrations = storeMigrations(join(import.meta.dirname, 'migrations'));

/** Migrates the schema to this version. */
export const migrateAuth = (config: AuthConfig): Promise<void> => migrateStore(config, migrations);

/** Starts one replica. Resolves when it accepts calls. */
export async function createAuthService(config: AuthConfig): Promise<RunningService> {
  const pepper = Buffer.from(readSecretFile(config.pepperFile), 'hex');
  if (pepper.length < 32) throw new Error(`${config.pepperFile} must hold at least 64 hexadecimal digits.`);
  const accessKey = signingKey(config.accessTokenKeyFile);
  const actorKey = signingKey(config.actorTokenKeyFile);
  await using store = await openStoreService<AuthSchema>({
    service: 'auth',
    config,
    migrations,
    actorTokenPublicKey: createPublicKey(actorKey).export({ type: 'spki', format: 'pem' }) as string,
    recordOutcome: withNotedReasons,
    platformTenant: (database) => platformTenantId(database),
  });
  const { database, emitter, logger, peers, rpc, disposables, cluster } = store;
  const { host, port, passwordFile } = config.redis;
  const redis = { host, port, password: readSecretFile(passwordFile) };
  const liveness = createLiveness({ ...redis, logger });
  disposables.defer(() => liveness.close());
  const tenantKeys = await openTenantKeys(database, config.rootKey, logger);
  disposables.defer(() => tenantKeys.close());
  const settings = settingsSource(database, tenantKeys);
  const { hashConcurrency } = await readPasswordSettings(settings);
  disposables.use(startOwnReplica({ config, database, logger }, settings));
  const gatewayReplicas = createRegisteredReplicas('gateway', redis);
  disposables.defer(() => gatewayReplicas.close());
  const deps = {
    config,
    database,
    emitter,
    logger,
    passwords: await createPasswordHasher({
      ...hashParameters(config),
      ...config.passwordQueue,
      concurrency: hashConcurrency || config.passwordQueue.concurrency,
      pepper,
    }),
    settings: createOwnSettings(settings, logger),
    settingsSource: settings,
    schemaHistories: schemaHistories({
      peers,
      hasPeer: (service) => config.peers[service] !== undefined,
      own: store.schemaHistory,
      logger,
    }),
    resources: config.peers.vault && peers.client('vault', vault.EntitlementsService),
    reportAnomaly: store.reportAnomaly,
    ownReplicas: store.replicas,
    gatewayReplicas,
    otherReplicas: replicasClients(peers, config.peers),
    accessTokens: createAccessTokens(accessKey),
    liveness,
    tenantKeys,
    tenantPeers: tenantPeers(config, peers),
    accountStatus: config.peers.workflow && peers.client('workflow', accountStatus.AccountStatusService),
    actorKey,
    nameHash: nameHasher(pepper),
  };
  registerHandlers(rpc, deps);
  rpc.add(seal.SealService, authSealHandlers(deps));
  disposables.use(startHousekeeping({ database, cluster }));
  disposables.use(startTenantDuties(deps, cluster));
  disposables.use(startAccountStatusDeliveries(deps, cluster));
  return store.serve({
    restore: { endTenantAccess: endAccessAfterRestore, onRestored: () => liveness.forgetAll() },
    sealed: tenantKeys.seal.isSealed,
    checks: [
      { name: 'redis', required: false, check: () => liveness.ping() },
      { name: 'root key provider', required: false, check: tenantKeys.seal.checkProvider },
    ],
  });
}

function signingKey(file: string): KeyObject {
  const key = createPrivateKey(readSecretFile(file));
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${file} must hold an Ed25519 private key.`);
  return key;
}

/** A separate key derived from the pepper, because one key must not serve two purposes. */
function nameHasher(pepper: Buffer): (canonicalLogin: string) => string {
  const key = createHmac('sha256', pepper).update('claviger/sign-in-name/v1').digest();
  return (canonicalLogin) => createHmac('sha256', key).update(canonicalLogin).digest('hex');
}
