import * as encryption from '@claviger/contracts/vault/v1/encryption';
import type { RpcServer } from '@claviger/service-kit';
import type { VaultDeps } from '../deps.ts';
import { getEncryptionStatus } from './get-encryption-status.ts';
import { getKeyJob, listKeyFindings, listKeyJobs } from './read-key-jobs.ts';
import { repairKeys, rotateKek } from './rotate-kek.ts';

export function addEncryptionHandlers(rpc: RpcServer, deps: VaultDeps): void {
  rpc.add(encryption.EncryptionService, {
    getEncryptionStatus: getEncryptionStatus(deps),
    rotateKek: rotateKek(deps),
    repairKeys: repairKeys(deps),
    listKeyJobs: listKeyJobs(deps),
    getKeyJob: getKeyJob(deps),
    listKeyFindings: listKeyFindings(deps),
  });
}
