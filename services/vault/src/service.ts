import { createPrivateKey } from 'node:crypto';
import { createConnectorPool } from '@claviger/connectors';
import * as auth from '@claviger/contracts/auth/v1/auth';
import * as sealContract from '@claviger/contracts/cluster/v1/seal';
import * as tenantStatus from '@claviger/contracts/cluster/v1/tenant_status';
import * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { JobDefinition } from '@claviger/jobs';
import type { Journal } from '@claviger/journal';
import { readSecretFile } from '@claviger/service-kit';
import { startSettings } from '@claviger/settings';
import { openStoreService, type ServingStore } from '@claviger/store-service';
import type { VaultConfig } from './config.ts';
import { createDisclosureGate } from './disclosure/disclosure-gate.ts';
import { type JournalMerge, startJournalMerge } from './emergency/merge-journal.ts';
import { openEmergencyJournal } from './emergency/open-emergency-journal.ts';
import { startKeyJobs } from './encryption/key-jobs-duty.ts';
import { openRootKeySeal, type RootKeySeal, vaultSealHandlers } from './encryption/root-key-seal.ts';
import { runKeyJob } from './encryption/run-key-job-definition.ts';
import { createSecrets } from './encryption/secrets.ts';
import { createTenantKeys } from './encryption/tenant-keys.ts';
import { startPurge } from './entries/purge-duty.ts';
import { migrations } from './migrate-vault.ts';
import { type HandlerDeps, registerHandlers } from './registry.ts';
import { rotateCredentialJob } from './rotation/rotate-credential-job.ts';
import { startRotationDuty } from './rotation/rotation-duty.ts';
import type { VaultSchema } from './schema.ts';
import { endAccessAfterRestore } from './tenancy/end-access-after-restore.ts';
import { tenantHandlers } from './tenancy/tenant-handlers.ts';

export interface VaultService extends ServingStore {
  readonly deps: HandlerDeps;
}

/**
 * Starts the vault. A sealed vault is live and not ready, and answers `sealed` to operations that need a key.
 */
export async function createVaultService(config: VaultConfig): Promise<VaultService> {
  const receiptKey = createPrivateKey(readSecretFile(config.receiptKeyFile));
  await using store = await openStoreService<VaultSchema>({
    service: 'vault',
    config,
    migrations,
    actorTokenPublicKey: readSecretFile(config.actorTokenPublicKeyFile),
    jobs: [rotateCredentialJob as JobDefinition<never>, runKeyJob as JobDefinition<never>],
  });
  const { database, emitter, logger, peers, queues, rpc, disposables, cluster } = store;
  const onClose = () => keys.clear();
  const seal = disposables.use(await openRootKeySeal({ database, rootKey: config.rootKey, logger, onClose }));
  const keys = createTenantKeys(database, seal, {
    activeForMs: config.encryption.kekGraceSeconds * 500,
  });
  disposables.defer(() => keys.clear());
  const journal = disposables.use(
    await openEmergencyJournal({ file: config.emergencyJournalFile, key: store.macKey, logger }),
  );
  const { reportAnomaly } = store;
  const journalMerge = disposables.use(
    startJournalMerge({ config, database, logger, journal, reportAnomaly }),
  );
  const deps: HandlerDeps = {
    config,
    database,
    emitter,
    logger,
    keys,
    rootKey: () => seal.requireOpen(),
    rootKeyState: () => rootKeyStateOf(seal),
    secrets: createSecrets(keys, () => void seal.requireOpen(), logger),
    connectors: disposables.use(createConnectorPool(config.connectors)),
    gate: createDisclosureGate(database, emitter),
    platform: store.platform,
    journal,
    wakeJournalMerge: journalMerge.wake,
    receiptKey,
    protection: {
      describePolicy: (request, options) =>
        peers.client('workflow', workflow.ProtectionService).describePolicy(request, options),
      requestProtectionChange: (request, options) =>
        peers.client('workflow', workflow.ProtectionService).requestProtectionChange(request, options),
    },
    directory: {
      getUserNames: (request, options) =>
        peers.client('auth', auth.DirectoryService).getUserNames(request, options),
    },
  };
  disposables.use(startKeyJobs(deps, queues, cluster));
  disposables.use(startPurge(deps, cluster));
  disposables.use(startRotationDuty(deps, queues, cluster));
  disposables.use(startSettings({ config, logger, sections: ['access', 'breakglass'] }));
  registerHandlers(rpc, deps);
  rpc.add(tenantStatus.TenantStatusService, tenantHandlers(deps));
  rpc.add(
    sealContract.SealService,
    vaultSealHandlers({ node: config.node, database, emitter, logger, seal }),
  );
  const serving = await store.serve({
    restore: { endTenantAccess: endAccessAfterRestore(deps) },
    sealed: seal.isSealed,
    checks: [
      { name: 'root key', required: true, check: async () => void seal.requireOpen() },
      { name: 'root key provider', required: false, check: seal.checkProvider },
      {
        name: 'emergency journal',
        required: false,
        check: async () => requireJournal(journal, journalMerge),
      },
    ],
  });
  return { ...serving, deps };
}

function requireJournal(journal: Journal, merge: JournalMerge): void {
  const problem = journal.problem() ?? merge.problem();
  if (problem) throw new Error(problem);
}

function rootKeyStateOf(seal: RootKeySeal) {
  if (seal.isSealed()) return { provider: '', keyId: '', state: 'sealed' };
  const { kind, id } = seal.requireOpen();
  return { provider: kind, keyId: id, state: 'open' };
}
