import * as devices from '@claviger/contracts/auth/v1/devices';
import * as vault from '@claviger/contracts/vault/v1/vault';
import type { Peers, RpcServer } from '@claviger/service-kit';
import { getAgentConfiguration } from '../agents/get-agent-configuration.ts';
import { rotateOwnAgentToken } from '../agents/rotate-own-agent-token.ts';
import { deleteConfigurationPolicy } from '../configuration-policies/delete-configuration-policy.ts';
import { listConfigurationPolicies } from '../configuration-policies/list-configuration-policies.ts';
import { putConfigurationPolicy } from '../configuration-policies/put-configuration-policy.ts';
import type { AuthDeps } from '../deps.ts';
import { createDeviceGroup } from '../device-groups/create-device-group.ts';
import { deleteDeviceGroup } from '../device-groups/delete-device-group.ts';
import { listDeviceGroups } from '../device-groups/list-device-groups.ts';
import { setDeviceGroupMembers } from '../device-groups/set-device-group-members.ts';
import { updateDeviceGroup } from '../device-groups/update-device-group.ts';
import { describeDevice } from '../directory/describe-device.ts';
import { listPermittedUsers } from '../directory/list-permitted-users.ts';
import { resolveSubject } from '../directory/resolve-subject.ts';
import { getDirectoryIdentity } from '../directory-identities/get-directory-identity.ts';
import { setDirectoryIdentity } from '../directory-identities/set-directory-identity.ts';
import { createSite } from '../sites/create-site.ts';
import { deleteSite } from '../sites/delete-site.ts';
import { getSite } from '../sites/get-site.ts';
import { getUserSites } from '../sites/get-user-sites.ts';
import { listSites } from '../sites/list-sites.ts';
import { setUserSites } from '../sites/set-user-sites.ts';
import { updateSite } from '../sites/update-site.ts';
import { decommissionDevice } from './decommission-device.ts';
import { enrolDevice } from './enrol-device.ts';
import { getDevice } from './get-device.ts';
import { getDeviceConfiguration } from './get-device-configuration.ts';
import { listDevices } from './list-devices.ts';
import { revokeAgentToken } from './revoke-agent-token.ts';
import { rotateAgentToken } from './rotate-agent-token.ts';
import { updateDevice } from './update-device.ts';

/** Devices with what belongs to them: sites, groups, agents, what holds for them, and who sits before them. */
export function addDeviceHandlers(server: RpcServer, deps: AuthDeps, peers: Peers): void {
  const resources = deps.config.peers.vault && peers.client('vault', vault.EntitlementsService);
  server.add(devices.DevicesService, {
    listDevices: listDevices(deps),
    getDevice: getDevice(deps),
    enrolDevice: enrolDevice(deps, resources),
    updateDevice: updateDevice(deps),
    decommissionDevice: decommissionDevice(deps),
    rotateAgentToken: rotateAgentToken(deps),
    revokeAgentToken: revokeAgentToken(deps),
    getDeviceConfiguration: getDeviceConfiguration(deps),
  });
  server.add(devices.SitesService, {
    listSites: listSites(deps),
    createSite: createSite(deps),
    getSite: getSite(deps),
    updateSite: updateSite(deps),
    deleteSite: deleteSite(deps),
    getUserSites: getUserSites(deps),
    setUserSites: setUserSites(deps),
  });
  server.add(devices.DeviceGroupsService, {
    listDeviceGroups: listDeviceGroups(deps),
    createDeviceGroup: createDeviceGroup(deps),
    updateDeviceGroup: updateDeviceGroup(deps),
    setDeviceGroupMembers: setDeviceGroupMembers(deps),
    deleteDeviceGroup: deleteDeviceGroup(deps),
  });
  server.add(devices.ConfigurationPoliciesService, {
    listConfigurationPolicies: listConfigurationPolicies(deps),
    putConfigurationPolicy: putConfigurationPolicy(deps),
    deleteConfigurationPolicy: deleteConfigurationPolicy(deps),
  });
  server.add(devices.DirectoryIdentitiesService, {
    getDirectoryIdentity: getDirectoryIdentity(deps),
    setDirectoryIdentity: setDirectoryIdentity(deps),
  });
  server.add(devices.AgentsService, {
    getAgentConfiguration: getAgentConfiguration(deps),
    rotateOwnAgentToken: rotateOwnAgentToken(deps),
  });
  server.add(devices.DeviceDirectoryService, {
    describeDevice: describeDevice(deps),
    resolveSubject: resolveSubject(deps),
    listPermittedUsers: listPermittedUsers(deps),
  });
}
