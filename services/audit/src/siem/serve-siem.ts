import type { DutyHost } from '@claviger/cluster';
import * as siem from '@claviger/contracts/audit/v1/siem';
import type { RpcServer } from '@claviger/service-kit';
import { startForwarding } from './forwarding-duty.ts';
import { getSiemStatus } from './get-siem-status.ts';
import type { SiemDeps } from './siem-deps.ts';
import { testSiem } from './test-siem.ts';

/** Serves the operations on SIEM targets, and passes events on while this replica leads. */
export function serveSiem(
  rpcServer: RpcServer,
  deps: SiemDeps & { readonly cluster: DutyHost },
): AsyncDisposable {
  rpcServer.add(siem.SiemService, {
    getSiemStatus: getSiemStatus(deps),
    testSiem: testSiem(deps),
  });
  return startForwarding(deps);
}
