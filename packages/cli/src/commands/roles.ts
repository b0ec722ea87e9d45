import type { Command } from 'commander';
import {
  type ListOptions,
  nounCommand,
  peopleCommand,
  several,
  withConnectionOptions,
  withPaging,
} from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';
import type { RoleOptions } from '../people/roles.ts';

const work = () => import('../people/roles.ts');

export function register(program: Command): void {
  const noun = nounCommand(program, 'roles', 'named bundles of permissions');
  const list = peopleCommand(noun, 'list', 'list the roles that can be given', 'claviger roles list');
  withConnectionOptions(withPaging(list)).action(async (options: ConnectionOptions & ListOptions) =>
    (await work()).listRoles(options),
  );
  const permissions = peopleCommand(
    noun,
    'permissions',
    'list every permission that a role can hold',
    'claviger roles permissions',
  );
  withConnectionOptions(permissions).action(async (options: ConnectionOptions) =>
    (await work()).listPermissions(options),
  );
  const create = withRoleOptions(
    peopleCommand(
      noun,
      'create <name>',
      'add a role',
      'claviger roles create reader --permission vault.entries.read --permission resources.read',
    ),
  );
  withConnectionOptions(create).action(async (name: string, options: RoleOptions) =>
    (await work()).createRole(name, options),
  );
  const update = withRoleOptions(
    peopleCommand(
      noun,
      'update <role>',
      'change a role; the permissions that are given replace all that it had',
      'claviger roles update reader --description "sees entries, no secrets"',
    ),
  );
  withConnectionOptions(update).action(async (name: string, options: RoleOptions) =>
    (await work()).updateRole(name, options),
  );
  const remove = peopleCommand(noun, 'delete <role>', 'delete a role', 'claviger roles delete reader');
  withConnectionOptions(remove).action(async (name: string, options: ConnectionOptions) =>
    (await work()).deleteRole(name, options),
  );
}

function withRoleOptions(command: Command): Command {
  return command
    .option('--description <text>', 'what it is for')
    .option('--permission <permission>', 'what it allows; may be given several times', several);
}
