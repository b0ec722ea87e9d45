import { createPrivateKey } from 'node:crypto';
import { createConnectorPool } from '@claviger/connectors';
import * as auth from '@claviger/contracts/auth/v1/auth';
import * as vault from '@claviger/contracts/vault/v1/vault';
import * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { JobDefinition } from '@claviger/jobs';
import type { Journal } from '@claviger/journal';
import { type RpcServer, readSecretFile } from '@claviger/service-kit';
import { startSettings } from '@claviger/settings';
import { openStoreService, type ServingStore } from '@claviger/store-service';
import type { VaultConfig } from './config.ts';
import type { VaultDeps } from './deps.ts';
import { createDisclosureGate } from './disclosure/disclosure-gate.ts';
import { addEmergencyHandlers } from './emergency/emergency-handlers.ts';
import { startJournalMerge } from './emergency/merge-journal.ts';
import { openEmergencyJournal } from './emergency/open-emergency-journal.ts';
import { addEncryptionHandlers } from './encryption/encryption-handlers.ts';
import { startKeyJobs } from './encryption/key-jobs-duty.ts';
import { addSealHandlers, openRootKeySeal, type RootKeySeal } from './encryption/root-key-seal.ts';
import { runKeyJob } from './encryption/run-key-job-definition.ts';
import { createSecrets } from './encryption/secrets.ts';
import { createTenantKeys } from './encryption/tenant-keys.ts';
import { deliverCredentials } from './entitlements/deliver-credentials.ts';
import { describeBeneficiaries } from './entitlements/describe-beneficiaries.ts';
import { describeResource } from './entitlements/describe-resource.ts';
import { describeSubject } from './entitlements/describe-subject.ts';
import { placeEntitlement } from './entitlements/place-entitlement.ts';
import { removeEntitlement } from './entitlements/remove-entitlement.ts';
import { acceptAccount } from './entries/accept-account.ts';
import { adoptEntry } from './entries/adopt-entry.ts';
import { createEntry } from './entries/create-entry.ts';
import { deleteEntry } from './entries/delete-entry.ts';
import { getEntry } from './entries/get-entry.ts';
import { listEntries } from './entries/list-entries.ts';
import { listEntryVersions } from './entries/list-entry-versions.ts';
import { startPurge } from './entries/purge-duty.ts';
import { recoverCandidates } from './entries/recover-candidates.ts';
import { retrieveEntry } from './entries/retrieve-entry.ts';
import { deleteShare, listShares, putShare } from './entries/shares.ts';
import { updateEntry } from './entries/update-entry.ts';
import { verifyEntry } from './entries/verify-entry.ts';
import { addEvidenceHandlers } from './evidence/add-evidence-handlers.ts';
import { addExposureHandlers } from './exposure/exposure-handlers.ts';
import { migrations } from './migrate-vault.ts';
import { patchModule, updateModule } from './modules/change-module.ts';
import { createModule } from './modules/create-module.ts';
import { deleteModule } from './modules/delete-module.ts';
import { getModule } from './modules/get-module.ts';
import { listModules } from './modules/list-modules.ts';
import { testModule } from './modules/test-module.ts';
import { createResource } from './resources/create-resource.ts';
import { deleteResource } from './resources/delete-resource.ts';
import { discoverAccounts } from './resources/discover-accounts.ts';
import { getResource } from './resources/get-resource.ts';
import { listResources } from './resources/list-resources.ts';
import { putResourceOwner } from './resources/put-resource-owner.ts';
import { updateResource } from './resources/update-resource.ts';
import { putRotationSchedule } from './rotation/put-rotation-schedule.ts';
import { getRotation, listRotations } from './rotation/read-rotations.ts';
import { rotateCredentialJob } from './rotation/rotate-credential-job.ts';
import { rotateEntry } from './rotation/rotate-entry.ts';
import { startRotationDuty } from './rotation/rotation-duty.ts';
import type { VaultSchema } from './schema.ts';
import { addTenancyHandlers } from './tenancy/add-tenancy-handlers.ts';
import { endAccessAfterRestore } from './tenancy/end-access-after-restore.ts';

export interface VaultService extends ServingStore {
  readonly deps: VaultDeps;
}

/** Starts the vault. A sealed vault starts, too: it is live, not ready, and answers `sealed` where it needs a key. */
export async function createVaultService(config: VaultConfig): Promise<VaultService> {
  const receiptKey = createPrivateKey(readSecretFile(config.receiptKeyFile));
  await using store = openStoreService<VaultSchema>({
    service: 'vault',
    config,
    migrations,
    actorTokenPublicKey: readSecretFile(config.actorTokenPublicKeyFile),
    jobs: [rotateCredentialJob as JobDefinition<never>, runKeyJob as JobDefinition<never>],
  });
  const { database, emitter, logger, peers, queues, rpc, parts, cluster } = store;
  const onClose = () => keys.clear();
  const seal = parts.use(await openRootKeySeal({ database, rootKey: config.rootKey, logger, onClose }));
  const keys = createTenantKeys(database, seal, {
    activeForMs: config.encryption.kekGraceSeconds * 500,
  });
  parts.defer(() => keys.clear());
  const journal = parts.use(
    await openEmergencyJournal({ file: config.emergencyJournalFile, key: store.macKey, logger }),
  );
  const deps: VaultDeps = {
    config,
    database,
    emitter,
    logger,
    keys,
    rootKey: () => seal.requireOpen(),
    rootKeyState: () => rootKeyStateOf(seal),
    secrets: createSecrets(keys, () => void seal.requireOpen(), logger),
    connectors: parts.use(createConnectorPool(config.connectors)),
    gate: createDisclosureGate(database, emitter),
    platform: store.platform,
    journal,
    wakeJournalMerge: () => journalMerge.wake(),
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
  const journalMerge = parts.use(startJournalMerge(deps, journal));
  parts.use(startKeyJobs(deps, queues, cluster));
  parts.use(startPurge(deps, cluster));
  parts.use(startRotationDuty(deps, queues, cluster));
  parts.use(startSettings({ config, logger, sections: ['access', 'breakglass'] }));
  addHandlers(rpc, deps);
  addEmergencyHandlers(rpc, deps);
  addTenancyHandlers(rpc, deps);
  addEvidenceHandlers(rpc, deps);
  addExposureHandlers(rpc, deps);
  addSealHandlers(rpc, { node: config.node, database, emitter, logger, seal });
  const serving = await store.serve({
    restore: { endTenantAccess: endAccessAfterRestore(deps) },
    sealed: seal.isSealed,
    checks: [
      { name: 'root key', required: true, check: async () => void seal.requireOpen() },
      { name: 'root key provider', required: false, check: seal.checkProvider },
      { name: 'emergency journal', required: false, check: async () => requireJournal(journal) },
    ],
  });
  return { ...serving, deps };
}

function requireJournal(journal: Journal): void {
  const problem = journal.problem();
  if (problem) throw new Error(problem);
}

function rootKeyStateOf(seal: RootKeySeal) {
  if (seal.isSealed()) return { provider: '', keyId: '', state: 'sealed' };
  const { kind, id } = seal.requireOpen();
  return { provider: kind, keyId: id, state: 'open' };
}

/** The operations of people and of workflow. */
export function addHandlers(rpc: RpcServer, deps: VaultDeps): void {
  rpc.add(vault.ResourcesService, {
    listResources: listResources(deps),
    getResource: getResource(deps),
    createResource: createResource(deps),
    updateResource: updateResource(deps),
    putResourceOwner: putResourceOwner(deps),
    deleteResource: deleteResource(deps),
    discoverAccounts: discoverAccounts(deps),
  });
  rpc.add(vault.EntriesService, {
    listEntries: listEntries(deps),
    getEntry: getEntry(deps),
    createEntry: createEntry(deps),
    updateEntry: updateEntry(deps),
    deleteEntry: deleteEntry(deps),
    retrieveEntry: retrieveEntry(deps),
    rotateEntry: rotateEntry(deps),
    listRotations: listRotations(deps),
    getRotation: getRotation(deps),
    putRotationSchedule: putRotationSchedule(deps),
    verifyEntry: verifyEntry(deps),
    acceptAccount: acceptAccount(deps),
    listEntryVersions: listEntryVersions(deps),
    recoverCandidates: recoverCandidates(deps),
    adoptEntry: adoptEntry(deps),
    listShares: listShares(deps),
    putShare: putShare(deps),
    deleteShare: deleteShare(deps),
  });
  rpc.add(vault.ModulesService, {
    listModules: listModules(deps),
    getModule: getModule(deps),
    createModule: createModule(deps),
    updateModule: updateModule(deps),
    patchModule: patchModule(deps),
    deleteModule: deleteModule(deps),
    testModule: testModule(deps),
  });
  addEncryptionHandlers(rpc, deps);
  rpc.add(vault.EntitlementsService, {
    describeSubject: describeSubject(deps),
    describeResource: describeResource(deps),
    describeBeneficiaries: describeBeneficiaries(deps),
    placeEntitlement: placeEntitlement(deps),
    removeEntitlement: removeEntitlement(deps),
    deliverCredentials: deliverCredentials(deps),
  });
}
