// Generated from proto/claviger/vault/v1 by `pnpm generate`. Do not edit.
import * as emergency from '@claviger/contracts/vault/v1/emergency';
import * as encryption from '@claviger/contracts/vault/v1/encryption';
import * as evidence from '@claviger/contracts/vault/v1/evidence';
import * as exposure from '@claviger/contracts/vault/v1/exposure';
import * as tenantKeys from '@claviger/contracts/vault/v1/tenant_keys';
import * as vault from '@claviger/contracts/vault/v1/vault';
import type { DepsOf, Handlers, RpcServer } from '@claviger/service-kit';
import { placeEmergencySession } from './emergency/place-emergency-session.ts';
import { endEmergencySession } from './emergency/end-emergency-session.ts';
import { listEmergencyDisclosures } from './emergency/list-emergency-disclosures.ts';
import { runEmergencyDrill } from './emergency/run-emergency-drill.ts';
import { getEncryptionStatus } from './encryption/get-encryption-status.ts';
import { rotateKek } from './encryption/rotate-kek.ts';
import { repairKeys } from './encryption/repair-keys.ts';
import { listKeyJobs } from './encryption/list-key-jobs.ts';
import { getKeyJob } from './encryption/get-key-job.ts';
import { listKeyFindings } from './encryption/list-key-findings.ts';
import { listShareEvidence } from './evidence/list-share-evidence.ts';
import { listEntitlementEvidence } from './evidence/list-entitlement-evidence.ts';
import { listRotationEvidence } from './evidence/list-rotation-evidence.ts';
import { listKeyEvidence } from './evidence/list-key-evidence.ts';
import { listExposureEvidence } from './evidence/list-exposure-evidence.ts';
import { getVaultPosture } from './evidence/get-vault-posture.ts';
import { getUserExposure } from './exposure/get-user-exposure.ts';
import { rotateUserExposure } from './exposure/rotate-user-exposure.ts';
import { getEntryExposure } from './exposure/get-entry-exposure.ts';
import { destroyTenantKeys } from './encryption/destroy-tenant-keys.ts';
import { listResources } from './resources/list-resources.ts';
import { getResource } from './resources/get-resource.ts';
import { createResource } from './resources/create-resource.ts';
import { updateResource } from './resources/update-resource.ts';
import { putResourceOwner } from './resources/put-resource-owner.ts';
import { deleteResource } from './resources/delete-resource.ts';
import { discoverAccounts } from './resources/discover-accounts.ts';
import { listEntries } from './entries/list-entries.ts';
import { getEntry } from './entries/get-entry.ts';
import { createEntry } from './entries/create-entry.ts';
import { updateEntry } from './entries/update-entry.ts';
import { deleteEntry } from './entries/delete-entry.ts';
import { retrieveEntry } from './entries/retrieve-entry.ts';
import { rotateEntry } from './rotation/rotate-entry.ts';
import { listRotations } from './rotation/list-rotations.ts';
import { getRotation } from './rotation/get-rotation.ts';
import { putRotationSchedule } from './rotation/put-rotation-schedule.ts';
import { verifyEntry } from './entries/verify-entry.ts';
import { acceptAccount } from './entries/accept-account.ts';
import { listEntryVersions } from './entries/list-entry-versions.ts';
import { recoverCandidates } from './entries/recover-candidates.ts';
import { listShares } from './entries/list-shares.ts';
import { adoptEntry } from './entries/adopt-entry.ts';
import { putShare } from './entries/put-share.ts';
import { deleteShare } from './entries/delete-share.ts';
import { listModules } from './modules/list-modules.ts';
import { getModule } from './modules/get-module.ts';
import { createModule } from './modules/create-module.ts';
import { updateModule } from './modules/update-module.ts';
import { patchModule } from './modules/patch-module.ts';
import { deleteModule } from './modules/delete-module.ts';
import { testModule } from './modules/test-module.ts';
import { describeSubject } from './entitlements/describe-subject.ts';
import { describeResource } from './entitlements/describe-resource.ts';
import { describeBeneficiaries } from './entitlements/describe-beneficiaries.ts';
import { placeEntitlement } from './entitlements/place-entitlement.ts';
import { removeEntitlement } from './entitlements/remove-entitlement.ts';
import { deliverCredentials } from './entitlements/deliver-credentials.ts';

/** The handlers of claviger.vault.v1.EmergencyService. */
export const emergencyService = (
  deps: DepsOf<
    | typeof placeEmergencySession
    | typeof endEmergencySession
    | typeof listEmergencyDisclosures
    | typeof runEmergencyDrill
  >,
): Handlers<typeof emergency.EmergencyService> => ({
  placeEmergencySession: placeEmergencySession(deps),
  endEmergencySession: endEmergencySession(deps),
  listEmergencyDisclosures: listEmergencyDisclosures(deps),
  runEmergencyDrill: runEmergencyDrill(deps),
});

/** The handlers of claviger.vault.v1.EncryptionService. */
export const encryptionService = (
  deps: DepsOf<
    | typeof getEncryptionStatus
    | typeof rotateKek
    | typeof repairKeys
    | typeof listKeyJobs
    | typeof getKeyJob
    | typeof listKeyFindings
  >,
): Handlers<typeof encryption.EncryptionService> => ({
  getEncryptionStatus: getEncryptionStatus(deps),
  rotateKek: rotateKek(deps),
  repairKeys: repairKeys(deps),
  listKeyJobs: listKeyJobs(deps),
  getKeyJob: getKeyJob(deps),
  listKeyFindings: listKeyFindings(deps),
});

/** The handlers of claviger.vault.v1.EvidenceService. */
export const evidenceService = (
  deps: DepsOf<
    | typeof listShareEvidence
    | typeof listEntitlementEvidence
    | typeof listRotationEvidence
    | typeof listKeyEvidence
    | typeof listExposureEvidence
    | typeof getVaultPosture
  >,
): Handlers<typeof evidence.EvidenceService> => ({
  listShareEvidence: listShareEvidence(deps),
  listEntitlementEvidence: listEntitlementEvidence(deps),
  listRotationEvidence: listRotationEvidence(deps),
  listKeyEvidence: listKeyEvidence(deps),
  listExposureEvidence: listExposureEvidence(deps),
  getVaultPosture: getVaultPosture(deps),
});

/** The handlers of claviger.vault.v1.ExposureService. */
export const exposureService = (
  deps: DepsOf<
    | typeof getUserExposure
    | typeof rotateUserExposure
    | typeof getEntryExposure
  >,
): Handlers<typeof exposure.ExposureService> => ({
  getUserExposure: getUserExposure(deps),
  rotateUserExposure: rotateUserExposure(deps),
  getEntryExposure: getEntryExposure(deps),
});

/** The handlers of claviger.vault.v1.TenantKeysService. */
export const tenantKeysService = (
  deps: DepsOf<
    | typeof destroyTenantKeys
  >,
): Handlers<typeof tenantKeys.TenantKeysService> => ({
  destroyTenantKeys: destroyTenantKeys(deps),
});

/** The handlers of claviger.vault.v1.ResourcesService. */
export const resourcesService = (
  deps: DepsOf<
    | typeof listResources
    | typeof getResource
    | typeof createResource
    | typeof updateResource
    | typeof putResourceOwner
    | typeof deleteResource
    | typeof discoverAccounts
  >,
): Handlers<typeof vault.ResourcesService> => ({
  listResources: listResources(deps),
  getResource: getResource(deps),
  createResource: createResource(deps),
  updateResource: updateResource(deps),
  putResourceOwner: putResourceOwner(deps),
  deleteResource: deleteResource(deps),
  discoverAccounts: discoverAccounts(deps),
});

/** The handlers of claviger.vault.v1.EntriesService. */
export const entriesService = (
  deps: DepsOf<
    | typeof listEntries
    | typeof getEntry
    | typeof createEntry
    | typeof updateEntry
    | typeof deleteEntry
    | typeof retrieveEntry
    | typeof rotateEntry
    | typeof listRotations
    | typeof getRotation
    | typeof putRotationSchedule
    | typeof verifyEntry
    | typeof acceptAccount
    | typeof listEntryVersions
    | typeof recoverCandidates
    | typeof listShares
    | typeof adoptEntry
    | typeof putShare
    | typeof deleteShare
  >,
): Handlers<typeof vault.EntriesService> => ({
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
  listShares: listShares(deps),
  adoptEntry: adoptEntry(deps),
  putShare: putShare(deps),
  deleteShare: deleteShare(deps),
});

/** The handlers of claviger.vault.v1.ModulesService. */
export const modulesService = (
  deps: DepsOf<
    | typeof listModules
    | typeof getModule
    | typeof createModule
    | typeof updateModule
    | typeof patchModule
    | typeof deleteModule
    | typeof testModule
  >,
): Handlers<typeof vault.ModulesService> => ({
  listModules: listModules(deps),
  getModule: getModule(deps),
  createModule: createModule(deps),
  updateModule: updateModule(deps),
  patchModule: patchModule(deps),
  deleteModule: deleteModule(deps),
  testModule: testModule(deps),
});

/** The handlers of claviger.vault.v1.EntitlementsService. */
export const entitlementsService = (
  deps: DepsOf<
    | typeof describeSubject
    | typeof describeResource
    | typeof describeBeneficiaries
    | typeof placeEntitlement
    | typeof removeEntitlement
    | typeof deliverCredentials
  >,
): Handlers<typeof vault.EntitlementsService> => ({
  describeSubject: describeSubject(deps),
  describeResource: describeResource(deps),
  describeBeneficiaries: describeBeneficiaries(deps),
  placeEntitlement: placeEntitlement(deps),
  removeEntitlement: removeEntitlement(deps),
  deliverCredentials: deliverCredentials(deps),
});

/** What all handlers of this service need together. */
export type HandlerDeps = DepsOf<
  | typeof emergencyService
  | typeof encryptionService
  | typeof evidenceService
  | typeof exposureService
  | typeof tenantKeysService
  | typeof resourcesService
  | typeof entriesService
  | typeof modulesService
  | typeof entitlementsService
>;

/** Registers the handlers of all gRPC services that this service owns. */
export function registerHandlers(rpc: Pick<RpcServer, 'add'>, deps: HandlerDeps): void {
  rpc.add(emergency.EmergencyService, emergencyService(deps));
  rpc.add(encryption.EncryptionService, encryptionService(deps));
  rpc.add(evidence.EvidenceService, evidenceService(deps));
  rpc.add(exposure.ExposureService, exposureService(deps));
  rpc.add(tenantKeys.TenantKeysService, tenantKeysService(deps));
  rpc.add(vault.ResourcesService, resourcesService(deps));
  rpc.add(vault.EntriesService, entriesService(deps));
  rpc.add(vault.ModulesService, modulesService(deps));
  rpc.add(vault.EntitlementsService, entitlementsService(deps));
}
