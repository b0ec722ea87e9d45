import type * as devices from '@claviger/contracts/auth/v1/devices';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import type { Noun } from '../contract/noun.ts';

const device = 'a device, by host name or id';
export const noun: Noun = {
  about: 'groups of devices that share a policy, independent of sites',
  sample: 'Kiosks',
  services: ['DeviceGroupsService'],
  elsewhere: ['SetDeviceGroupMembers'],
  views: {
    DeviceGroup: {
      columns: ['ID  id; NAME  name; DEVICES  devices; CHANGED  updatedAt'],
    },
  },
  verbs: {
    create: {
      call: 'CreateDeviceGroup',
      example: 'device-groups create Kiosks --device WIN-1 --device WIN-2',
    },
    update: {
      call: 'UpdateDeviceGroup',
      about: 'rename a group, add devices, remove devices',
      example: 'device-groups update Kiosks --add WIN-3 --remove WIN-1',
      options: [`--add <device>...  ${device}`, `--remove <device>...  ${device}`],
      needs: '--name, --add or --remove',
      run: async ({ idOf, invoke, listAll, options }, { groupId, name }) => {
        const ids = async (names: unknown): Promise<string[]> =>
          Promise.all(((names ?? []) as string[]).map((text) => idOf('device', text)));
        const [coming, going] = [await ids(options.add), await ids(options.remove)];
        let answer: object = {};
        if (coming.length + going.length > 0) {
          // The version is read before the members, so that a concurrent change makes the next call fail.
          const groups = (await listAll(
            'ListDeviceGroups',
            {},
          )) as readonly unknown[] as readonly devices.DeviceGroup[];
          const group = groups.find(({ id }) => id === groupId);
          if (group === undefined)
            throw new CommandError(
              'there is no such group: `claviger device-groups list` lists them',
              EXIT.notFound,
            );
          const { rowVersion } = group;
          const members = (await listAll('ListDevices', { groupId })).map(({ id }) => String(id));
          const deviceIds = [...new Set([...members, ...coming])].filter((id) => !going.includes(id));
          answer = await invoke('SetDeviceGroupMembers', { groupId, deviceIds, rowVersion });
        }
        return name === undefined ? answer : invoke('UpdateDeviceGroup', { groupId, name });
      },
    },
  },
};
