import { randomUUID } from 'node:crypto';
import type { Sample } from './sample.ts';
import type { World } from './world.ts';

const unique = (prefix: string): string => `${prefix}-${randomUUID().slice(0, 8)}`;

async function newSite({ admin }: World): Promise<string> {
  return (await admin.must('POST', '/api/v1/sites', { name: unique('site') })).id as string;
}

async function newGroup({ admin, deviceId }: World): Promise<string> {
  const body = { name: unique('group'), deviceIds: [deviceId] };
  return (await admin.must('POST', '/api/v1/device-groups', body)).id as string;
}

/** What a new site says, as the parameters of its path. */
async function newPolicy(world: World): Promise<Record<string, string>> {
  const siteId = await newSite(world);
  await world.steppedUp.must('PUT', `/api/v1/configuration-policies/pam/site/${siteId}`, {
    pam: { uacInterceptionEnabled: false },
  });
  return { feature: 'pam', scope: 'site', scope_id: siteId };
}

/** At least four of each. */
export async function fillDevices(world: World): Promise<void> {
  for (let round = 0; round < 4; round += 1) {
    await newPolicy(world);
    await newGroup(world);
    await world.createDevice();
  }
}

export const deviceSamples: Readonly<Record<string, (world: World) => Promise<Sample> | Sample>> = {
  CreateSite: () => ({ body: { name: unique('site'), description: 'by the river' } }),
  GetSite: (w) => ({ params: { site_id: w.siteId } }),
  UpdateSite: async (w) => ({ params: { site_id: await newSite(w) }, body: { name: unique('moved') } }),
  DeleteSite: async (w) => ({ params: { site_id: await newSite(w) } }),
  SetUserSites: async (w) => ({
    params: { user_id: (await w.createUser()).id },
    body: { restricted: true, siteIds: [w.siteId] },
  }),
  EnrolDevice: async (w) => ({
    body: { hostname: unique('PC'), os: 'windows', siteId: w.siteId, resourceId: await w.createResource() },
  }),
  UpdateDevice: async (w) => ({
    params: { device_id: (await w.createDevice()).deviceId },
    body: { hostname: unique('PC') },
  }),
  DecommissionDevice: async (w) => ({
    params: { device_id: (await w.createDevice()).deviceId },
    body: { reason: 'conformance' },
  }),
  RotateAgentToken: async (w) => ({ params: { device_id: (await w.createDevice()).deviceId }, body: {} }),
  RevokeAgentToken: async (w) => ({ params: { device_id: (await w.createDevice()).deviceId } }),
  CreateDeviceGroup: (w) => ({ body: { name: unique('group'), deviceIds: [w.deviceId] } }),
  UpdateDeviceGroup: async (w) => ({
    params: { group_id: await newGroup(w) },
    body: { name: unique('renamed') },
  }),
  SetDeviceGroupMembers: async (w) => ({
    params: { group_id: await newGroup(w) },
    body: { deviceIds: [(await w.createDevice()).deviceId] },
  }),
  DeleteDeviceGroup: async (w) => ({ params: { group_id: await newGroup(w) } }),
  PutConfigurationPolicy: async (w) => ({
    params: await newPolicy(w),
    body: { pam: { uacInterceptionEnabled: true } },
  }),
  DeleteConfigurationPolicy: async (w) => ({ params: await newPolicy(w) }),
  SetDirectoryIdentity: async (w) => ({
    params: { user_id: (await w.createUser()).id },
    body: { accountNames: [`acme\\${unique('user')}`], groups: ['Domain Users'] },
  }),
  GetAgentConfiguration: async (w) => {
    const { deviceId, agent } = await w.createDevice();
    return { params: { agent_id: deviceId }, client: agent };
  },
  RotateOwnAgentToken: async (w) => {
    const { deviceId, agent } = await w.createDevice();
    return { params: { agent_id: deviceId }, client: agent, body: {} };
  },
};
