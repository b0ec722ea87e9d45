import type * as updates from '@claviger/contracts/auth/v1/updates';
import type { Handler } from '@claviger/service-kit';
import type { UpdatesDeps } from './deps.ts';
import { recordReplica } from './record-replica.ts';

/** Records a replica of the service that the client certificate names. */
export function reportReplica(deps: UpdatesDeps): Handler<typeof updates.ReplicasService.reportReplica> {
  return async (request, context) => {
    await recordReplica(deps.database, { ...request, service: context.caller });
    return {};
  };
}
