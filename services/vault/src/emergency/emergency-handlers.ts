import * as emergency from '@claviger/contracts/vault/v1/emergency';
import type { RpcServer } from '@claviger/service-kit';
import type { VaultDeps } from '../deps.ts';
import { endEmergencySession } from './end-session.ts';
import { listEmergencyDisclosures } from './list-disclosures.ts';
import { placeEmergencySession } from './place-session.ts';
import { runEmergencyDrill } from './run-drill.ts';

export function addEmergencyHandlers(rpc: RpcServer, deps: VaultDeps): void {
  rpc.add(emergency.EmergencyService, {
    placeEmergencySession: placeEmergencySession(deps),
    endEmergencySession: endEmergencySession(deps),
    listEmergencyDisclosures: listEmergencyDisclosures(deps),
    runEmergencyDrill: runEmergencyDrill(deps),
  });
}
