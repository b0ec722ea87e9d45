import type { Command } from 'commander';
import {
  nounCommand,
  peopleCommand,
  several,
  withConnectionOptions,
  withPaging,
} from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';
import type { GroupFields, GroupListOptions } from '../people/device-groups.ts';

const work = () => import('../people/device-groups.ts');
const DEVICE = 'a device, by host name or id; may be given several times';

export function register(program: Command): void {
  const noun = nounCommand(program, 'device-groups', 'devices for which the same holds, wherever they stand');
  const list = peopleCommand(
    noun,
    'list',
    'list groups; the devices of one: claviger devices list --group NAME',
    'claviger device-groups list',
  ).option('--search <text>', 'only those that name this');
  withConnectionOptions(withPaging(list)).action(async (options: GroupListOptions) =>
    (await work()).listGroups(options),
  );
  const create = peopleCommand(
    noun,
    'create <name>',
    'add a group',
    'claviger device-groups create Kiosks --device WIN-1 --device WIN-2',
  ).option('--device <device>', DEVICE, several);
  withConnectionOptions(create).action(async (name: string, options: GroupFields) =>
    (await work()).createGroup(name, options),
  );
  const update = peopleCommand(
    noun,
    'update <group>',
    'give it another name, add devices, remove devices',
    'claviger device-groups update Kiosks --add WIN-3 --remove WIN-1',
  )
    .option('--name <name>', 'new name')
    .option('--add <device>', DEVICE, several)
    .option('--remove <device>', DEVICE, several);
  withConnectionOptions(update).action(async (group: string, options: GroupFields) =>
    (await work()).updateGroup(group, options),
  );
  const remove = peopleCommand(
    noun,
    'delete <group>',
    'remove a group, and what was said for it; its devices stay',
    'claviger device-groups delete Kiosks',
  );
  withConnectionOptions(remove).action(async (group: string, options: ConnectionOptions) =>
    (await work()).deleteGroup(group, options),
  );
}
