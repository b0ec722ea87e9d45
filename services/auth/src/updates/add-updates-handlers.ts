import * as updates from '@claviger/contracts/auth/v1/updates';
import type { RpcServer } from '@claviger/service-kit';
import type { AuthDeps } from '../deps.ts';
import { getUpdatesStatus } from './get-updates-status.ts';
import { reportReplica } from './report-replica.ts';
import type { SchemaHistories } from './schema-histories.ts';

export function addUpdatesHandlers(server: RpcServer, deps: AuthDeps, histories: SchemaHistories): void {
  server.add(updates.UpdatesService, { getUpdatesStatus: getUpdatesStatus(deps, histories) });
  server.add(updates.ReplicasService, { reportReplica: reportReplica(deps) });
}
