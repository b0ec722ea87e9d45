import { devices, vault } from '@claviger/contracts';
import type { Peers, RpcServer } from '@claviger/service-kit';
import { getAgentConfiguration } from '../agents/get-agent-configuration.ts';
import { rotateOwnAgentToken } from '../agents/rotate-own-agent-token.ts';
import type { AuthDeps } from '../deps.ts';
import { describeDevice } from '../directory/describe-device.ts';
import { listPermittedUsers } from '../directory/list-permitted-users.ts';
import { resolveSubject } from '../directory/resolve-subject.ts';
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
  const resources = deps.config.peers.vault && peers.client('vault', vault.EntitlementsServiceService);
  server.add(devices.DevicesServiceService, {
    listDevices: listDevices(deps),
    getDevice: getDevice(deps),
    enrolDevice: enrolDevice(deps, resources),
    updateDevice: updateDevice(deps),
    decommissionDevice: decommissionDevice(deps),
    rotateAgentToken: rotateAgentToken(deps),
    revokeAgentToken: revokeAgentToken(deps),
    getDeviceConfiguration: getDeviceConfiguration(deps),
  });
  server.add(devices.AgentsServiceService, {
    getAgentConfiguration: getAgentConfiguration(deps),
    rotateOwnAgentToken: rotateOwnAgentToken(deps),
  });
  server.add(devices.DeviceDirectoryServiceService, {
    describeDevice: describeDevice(deps),
    resolveSubject: resolveSubject(deps),
    listPermittedUsers: listPermittedUsers(deps),
  });
}
