import * as devices from '@claviger/contracts/auth/v1/devices';
import type { ApiClient } from '../api/api-client.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { deviceId } from './devices.ts';
import { isId } from './find-by-name.ts';
import { groupId } from './group-id.ts';
import { listItems } from './paging.ts';
import { withSession } from './session.ts';
import { type Column, fieldsText, type OutputFormat, showJson, timeText } from './show.ts';
import { showList } from './show-list.ts';

export interface GroupListOptions extends ConnectionOptions, ListOptions {
  readonly search?: string;
}
export interface GroupFields extends ConnectionOptions {
  readonly name?: string;
  readonly device?: string[];
  readonly add?: string[];
  readonly remove?: string[];
}

const service = devices.DeviceGroupsService;

const columns: readonly Column<devices.DeviceGroup>[] = [
  ['ID', (row) => row.id],
  ['NAME', (row) => row.name],
  ['DEVICES', (row) => row.devices],
  ['CHANGED', (row) => timeText(row.updatedAt)],
];

export function listGroups(options: GroupListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { search = '' } = options;
    showList(await listItems(api, service.listDeviceGroups, { search }, options), columns, format);
  });
}

export function createGroup(name: string, options: GroupFields): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const deviceIds = await deviceIdsOf(api, options.device);
    const { group } = await api.call(service.createDeviceGroup, { name, deviceIds });
    show(group!, format);
  });
}

/** Another name, and devices that come and go: the others stay, also those that somebody else adds at this moment. */
export function updateGroup(which: string, options: GroupFields): Promise<void> {
  const { name, add = [], remove = [] } = options;
  if (name === undefined && add.length + remove.length === 0)
    throw new CommandError('give --name, --add or --remove', EXIT.usage);
  return withSession(options, async ({ api, format }) => {
    const id = await groupId(api, which);
    const [coming, going] = [await deviceIdsOf(api, add), await deviceIdsOf(api, remove)];
    let group: devices.DeviceGroup | undefined;
    if (coming.length + going.length > 0) {
      // The version is read before the members: whoever changes them in between makes the next step fail.
      const { rowVersion } = await groupNow(api, id);
      const { items } = await listItems(
        api,
        devices.DevicesService.listDevices,
        { groupId: id },
        { all: true },
      );
      const deviceIds = [...new Set([...items.map((device) => device.id), ...coming])].filter(
        (each) => !going.includes(each),
      );
      ({ group } = await api.call(service.setDeviceGroupMembers, { groupId: id, deviceIds, rowVersion }));
    }
    if (name !== undefined) ({ group } = await api.call(service.updateDeviceGroup, { groupId: id, name }));
    show(group!, format);
  });
}

export function deleteGroup(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api }) => {
    await api.call(service.deleteDeviceGroup, { groupId: await groupId(api, name) });
    tell('deleted');
  });
}

async function groupNow(api: ApiClient, id: string): Promise<devices.DeviceGroup> {
  const { items } = await listItems(api, service.listDeviceGroups, {}, { all: true });
  const found = items.find((group) => group.id === id);
  if (found === undefined)
    throw new CommandError('there is no such group: `claviger device-groups list` shows them', EXIT.notFound);
  return found;
}

async function deviceIdsOf(api: ApiClient, names: readonly string[] = []): Promise<string[]> {
  const ids: string[] = [];
  for (const name of names) ids.push(isId(name) ? name : await deviceId(api, name));
  return ids;
}

function show(group: devices.DeviceGroup, format: OutputFormat): void {
  if (format === 'json') return showJson(group);
  say(
    fieldsText([
      ['group', group.id],
      ['name', group.name],
      ['devices', group.devices],
      ['changed', timeText(group.updatedAt)],
    ]),
  );
}
