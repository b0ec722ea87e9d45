import * as devices from '@claviger/contracts/auth/v1/devices';
import type { ApiClient } from '../api/api-client.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { isId } from './find-by-name.ts';
import { listItems } from './paging.ts';

/** The id of a group of devices given by name or id. */
export async function groupId(api: ApiClient, text: string): Promise<string> {
  if (isId(text)) return text;
  const list = devices.DeviceGroupsService.listDeviceGroups;
  const { items } = await listItems(api, list, { search: text }, { all: true });
  const found = items.find(({ name }) => name === text);
  if (found !== undefined) return found.id;
  throw new CommandError(
    `there is no group of devices "${text}": \`claviger device-groups list\` shows them`,
    EXIT.notFound,
  );
}
