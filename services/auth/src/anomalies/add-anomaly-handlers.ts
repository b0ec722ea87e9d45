import * as anomalies from '@claviger/contracts/auth/v1/anomalies';
import type { Database } from '@claviger/database';
import type { RpcServer } from '@claviger/service-kit';
import type { AuthSchema } from '../schema.ts';
import { getPlatformTenant } from './get-platform-tenant.ts';
import { reportAnomalies } from './report-anomalies.ts';

/** For the other services: what they cannot record, or do not know, by themselves. */
export function addAnomalyHandlers(rpc: RpcServer, database: Database<AuthSchema>): void {
  rpc.add(anomalies.AnomaliesService, {
    reportAnomalies: reportAnomalies(database),
    getPlatformTenant: getPlatformTenant(database),
  });
}
