import * as vaultEvidence from '@claviger/contracts/vault/v1/evidence';
import type { RpcServer } from '@claviger/service-kit';
import type { VaultDeps } from '../deps.ts';
import { getVaultPosture } from './get-vault-posture.ts';
import { listEntitlementEvidence } from './list-entitlement-evidence.ts';
import { listExposureEvidence } from './list-exposure-evidence.ts';
import { listKeyEvidence } from './list-key-evidence.ts';
import { listRotationEvidence } from './list-rotation-evidence.ts';
import { listShareEvidence } from './list-share-evidence.ts';

/** What compliance packages tell of the vault. */
export function addEvidenceHandlers(rpc: RpcServer, deps: VaultDeps): void {
  rpc.add(vaultEvidence.EvidenceService, {
    listShareEvidence: listShareEvidence(deps),
    listEntitlementEvidence: listEntitlementEvidence(deps),
    listRotationEvidence: listRotationEvidence(deps),
    listKeyEvidence: listKeyEvidence(deps),
    listExposureEvidence: listExposureEvidence(deps),
    getVaultPosture: getVaultPosture(deps),
  });
}
