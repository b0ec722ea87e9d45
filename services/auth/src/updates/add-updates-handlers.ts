import { updates } from '@claviger/contracts';
import type { RpcServer } from '@claviger/service-kit';
import type { AuthDeps } from '../deps.ts';
import { getUpdatesStatus } from './get-updates-status.ts';
import { reportReplica } from './report-replica.ts';
import type { SchemaHistories } from './schema-histories.ts';

export function addUpdatesHandlers(server: RpcServer, deps: AuthDeps, histories: SchemaHistories): void {
  server.add(updates.UpdatesServiceService, { getUpdatesStatus: getUpdatesStatus(deps, histories) });
  server.add(updates.ReplicasServiceService, { reportReplica: reportReplica(deps) });
}
