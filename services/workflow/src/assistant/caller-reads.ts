import * as auth from '@claviger/contracts/auth/v1/auth';
import * as vault from '@claviger/contracts/vault/v1/vault';
import * as elevation from '@claviger/contracts/workflow/v1/elevation';
import * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { CallContext, CallOptions, DepsOf, ServiceClient } from '@claviger/service-kit';
import { listActiveElevations } from '../elevation/list-active-elevations.ts';
import { listElevationRequests } from '../elevation/list-elevation-requests.ts';
import { listGrants } from '../grants/list-grants.ts';
import { getAccessPolicy } from '../policies/get-access-policy.ts';
import { getRequest } from '../requests/get-request.ts';
import { listRequests } from '../requests/list-requests.ts';
import { readAsCaller } from './read-as-caller.ts';

/** Other services, called with the caller's own token: they check permission and tenant themselves. */
export interface CallerPeers {
  readonly entries: Pick<ServiceClient<typeof vault.EntriesService>, 'listEntries' | 'getEntry'>;
  readonly users: Pick<ServiceClient<typeof auth.UsersService>, 'getUser'>;
}

/** Dependencies of the handlers that read workflow's own data. */
export type CallerReadsDeps = DepsOf<
  | typeof listElevationRequests
  | typeof listActiveElevations
  | typeof listRequests
  | typeof getRequest
  | typeof listGrants
  | typeof getAccessPolicy
>;

export type CallerReads = ReturnType<typeof callerReads>;

/** All operations that the assistant can call. Workflow's own data come from the handlers of the lists. */
export function callerReads(deps: CallerReadsDeps, peers: CallerPeers) {
  const { RequestsService: requests, GrantsService: grants } = workflow;
  const { EntriesService: entries } = vault;
  const { ElevationRequestsService: elevations } = elevation;
  return {
    listElevationRequests: readAsCaller(elevations.listElevationRequests, listElevationRequests(deps)),
    listActiveElevations: readAsCaller(elevations.listActiveElevations, listActiveElevations(deps)),
    listRequests: readAsCaller(requests.listRequests, listRequests(deps)),
    getRequest: readAsCaller(requests.getRequest, getRequest(deps)),
    listGrants: readAsCaller(grants.listGrants, listGrants(deps)),
    getAccessPolicy: readAsCaller(workflow.AccessPoliciesService.getAccessPolicy, getAccessPolicy(deps)),
    listEntries: readAsCaller(entries.listEntries, (request, context) =>
      peers.entries.listEntries(request, inTheirName(context)),
    ),
    getEntry: readAsCaller(entries.getEntry, (request, context) =>
      peers.entries.getEntry(request, inTheirName(context)),
    ),
    getUser: readAsCaller(auth.UsersService.getUser, (request, context) =>
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
