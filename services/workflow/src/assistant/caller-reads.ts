import { auth, elevation, vault, workflow } from '@claviger/contracts';
import type { CallContext, CallOptions, ServiceClient } from '@claviger/service-kit';
import type { WorkflowDeps } from '../deps.ts';
import { listActiveElevations } from '../elevation/list-active-elevations.ts';
import { listElevationRequests } from '../elevation/list-elevation-requests.ts';
import { listGrants } from '../grants/list-grants.ts';
import { getAccessPolicy } from '../policies/get-access-policy.ts';
import { getRequest } from '../requests/get-request.ts';
import { listRequests } from '../requests/list-requests.ts';
import { readAsCaller } from './read-as-caller.ts';

/** What is asked of other services, with the caller's own token: they check permission and tenant themselves. */
export interface CallerPeers {
  readonly entries: Pick<ServiceClient<typeof vault.EntriesServiceService>, 'listEntries' | 'getEntry'>;
  readonly users: Pick<ServiceClient<typeof auth.UsersServiceService>, 'getUser'>;
}

export type CallerReads = ReturnType<typeof callerReads>;

/** All that the assistant can reach. Workflow's own data come through the very handlers that serve the lists. */
export function callerReads(deps: WorkflowDeps, peers: CallerPeers) {
  const { RequestsServiceService: requests, GrantsServiceService: grants } = workflow;
  const { EntriesServiceService: entries } = vault;
  const { ElevationRequestsServiceService: elevations } = elevation;
  return {
    listElevationRequests: readAsCaller(elevations.listElevationRequests, listElevationRequests(deps)),
    listActiveElevations: readAsCaller(elevations.listActiveElevations, listActiveElevations(deps)),
    listRequests: readAsCaller(requests.listRequests, listRequests(deps)),
    getRequest: readAsCaller(requests.getRequest, getRequest(deps)),
    listGrants: readAsCaller(grants.listGrants, listGrants(deps)),
    getAccessPolicy: readAsCaller(
      workflow.AccessPoliciesServiceService.getAccessPolicy,
      getAccessPolicy(deps),
    ),
    listEntries: readAsCaller(entries.listEntries, (request, context) =>
      peers.entries.listEntries(request, inTheirName(context)),
    ),
    getEntry: readAsCaller(entries.getEntry, (request, context) =>
      peers.entries.getEntry(request, inTheirName(context)),
    ),
    getUser: readAsCaller(auth.UsersServiceService.getUser, (request, context) =>
      peers.users.getUser(request, inTheirName(context)),
    ),
  };
}

function inTheirName(context: CallContext): CallOptions {
  return {
    actorToken: context.actorToken,
    requestId: context.requestId,
    sourceAddress: context.sourceAddress,
    deadline: context.deadline,
    signal: context.signal,
  };
}
