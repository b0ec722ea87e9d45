import * as elevation from '@claviger/contracts/workflow/v1/elevation';
import type { RpcServer } from '@claviger/service-kit';
import { actuateElevation } from './actuate-elevation.ts';
import { claimToolAction } from './claim-tool-action.ts';
import type { ElevationDeps } from './elevation-deps.ts';
import { fetchAgentCommands } from './fetch-agent-commands.ts';
import { getAgentElevationRequest } from './get-agent-elevation-request.ts';
import { getElevationRequest } from './get-elevation-request.ts';
import { ingestElevationRequest } from './ingest-elevation-request.ts';
import { listActiveElevations } from './list-active-elevations.ts';
import { listElevationRequests } from './list-elevation-requests.ts';
import { reportCommandOutcome } from './report-command-outcome.ts';
import { requestElevation } from './request-elevation.ts';
import { requestToolAction } from './request-tool-action.ts';
import { respondToElevation } from './respond-to-elevation.ts';
import { revokeElevation } from './revoke-elevation.ts';

/** Just-in-time elevation: what is asked for, decided, carried out on devices, and taken back. */
export function addElevationHandlers(rpc: RpcServer, deps: ElevationDeps): void {
  const handlers = elevationHandlers(deps);
  rpc.add(elevation.ElevationRequestsService, handlers.requests);
  rpc.add(elevation.ToolActionsService, handlers.toolActions);
  rpc.add(elevation.DeviceActuationService, handlers.actuation);
  rpc.add(elevation.AgentElevationsService, handlers.agents);
}

export function elevationHandlers(deps: ElevationDeps) {
  return {
    requests: {
      listElevationRequests: listElevationRequests(deps),
      getElevationRequest: getElevationRequest(deps),
      listActiveElevations: listActiveElevations(deps),
      requestElevation: requestElevation(deps),
      respondToElevation: respondToElevation(deps),
      revokeElevation: revokeElevation(deps),
    },
    toolActions: {
      requestToolAction: requestToolAction(deps),
      claimToolAction: claimToolAction(deps),
    },
    actuation: { actuateElevation: actuateElevation(deps) },
    agents: {
      ingestElevationRequest: ingestElevationRequest(deps),
      getAgentElevationRequest: getAgentElevationRequest(deps),
      fetchAgentCommands: fetchAgentCommands(deps),
      reportCommandOutcome: reportCommandOutcome(deps),
    },
  };
}
