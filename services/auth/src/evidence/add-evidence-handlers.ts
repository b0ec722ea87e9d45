import * as authEvidence from '@claviger/contracts/auth/v1/evidence';
import type { RpcServer } from '@claviger/service-kit';
import type { AuthDeps } from '../deps.ts';
import { getAuthPosture } from './get-auth-posture.ts';
import { listAccountEvidence } from './list-account-evidence.ts';

/** What compliance packages tell of users and their roles. */
export function addEvidenceHandlers(rpc: RpcServer, deps: Pick<AuthDeps, 'database'>): void {
  rpc.add(authEvidence.EvidenceService, {
    listAccountEvidence: listAccountEvidence(deps),
    getAuthPosture: getAuthPosture(deps),
  });
}
