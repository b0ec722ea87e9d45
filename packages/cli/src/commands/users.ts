import type { Command } from 'commander';
import {
  nounCommand,
  peopleCommand,
  several,
  withConnectionOptions,
  withPaging,
} from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';
import type { IdentityOptions } from '../people/directory-identity.ts';
import type { CodeOptions } from '../people/mfa.ts';
import type { TakeOverOptions, UserCreateOptions, UserListOptions } from '../people/users.ts';

const work = () => import('../people/users.ts');
const identities = () => import('../people/directory-identity.ts');

export function register(program: Command): void {
  const noun = nounCommand(program, 'users', 'who may sign in, and with which roles');
  const list = peopleCommand(noun, 'list', 'list users', 'claviger users list --search ali')
    .option('--search <text>', 'only those that name this')
    .option('--role <role>', 'only those with this role');
  withConnectionOptions(withPaging(list)).action(async (options: UserListOptions) =>
    (await work()).listUsers(options),
  );
  const show = peopleCommand(
    noun,
    'show <user>',
    'show one, by user name or id',
    'claviger users show alice',
  );
  withConnectionOptions(show).action(async (user: string, options: ConnectionOptions) =>
    (await work()).showUser(user, options),
  );
  const create = peopleCommand(
    noun,
    'create <username>',
    'add a user; the password comes from a pipe or a file, never from the arguments',
    'claviger users create alice --role requester --password-stdin < alice.password',
  )
    .option('--role <role>', 'role; may be given several times', several)
    .option('--display-name <name>', 'name to show')
    .option('--email <address>', 'e-mail address')
    .option('--machine', 'a machine, which signs in with API tokens only; you are responsible for it')
    .option('--password-stdin', 'read the password from standard input')
    .option('--password-file <file>', 'read the password from a file');
  withConnectionOptions(create).action(async (username: string, options: UserCreateOptions) =>
    (await work()).createUser(username, options),
  );
  const roles = peopleCommand(
    noun,
    'roles <user> [role...]',
    'show the roles of a user; with names, replace them',
    'claviger users roles bob approver auditor',
  );
  withConnectionOptions(roles).action(async (user: string, names: string[], options: ConnectionOptions) =>
    (await work()).userRoles(user, names, options),
  );
  for (const [verb, description] of [
    ['disable', 'keep a user from signing in, and end their sessions'],
    ['enable', 'let a disabled user sign in again'],
    ['unlock', 'lift a lock after failed sign-ins'],
    ['sign-out', 'end every session of a user at once'],
    ['delete', 'delete a user; their traces in the audit log stay'],
  ] as const) {
    const command = peopleCommand(noun, `${verb} <user>`, description, `claviger users ${verb} alice`);
    withConnectionOptions(command).action(async (user: string, options: ConnectionOptions) =>
      (await work()).changeUser(verb, user, options),
    );
  }
  const disableMfa = peopleCommand(
    noun,
    'disable-mfa <user>',
    'switch off the second factor of a user who has lost it; needs a recent one of your own',
    'claviger users disable-mfa alice',
  ).option('--code-stdin', 'read the code of your second factor from standard input');
  withConnectionOptions(disableMfa).action(async (user: string, options: CodeOptions) =>
    (await work()).disableUserMfa(user, options),
  );
  const reset = peopleCommand(
    noun,
    'reset-password <user>',
    'make a one-time link with which a user chooses a new password',
    'claviger users reset-password alice',
  );
  withConnectionOptions(reset).action(async (user: string, options: ConnectionOptions) =>
    (await work()).resetPassword(user, options),
  );
  const takeOver = peopleCommand(
    noun,
    'take-over <machine>',
    'become responsible for a machine; its tokens and grants end',
    'claviger users take-over deploy-bot',
  ).option('--responsible <user>', 'make this person responsible instead of yourself');
  withConnectionOptions(takeOver).action(async (machine: string, options: TakeOverOptions) =>
    (await work()).takeOver(machine, options),
  );
  registerIdentity(noun);
}

function registerIdentity(users: Command): void {
  const noun = users
    .command('directory-identity')
    .description('under which names devices report somebody, and the directory groups they are in')
    .showHelpAfterError('(claviger users directory-identity --help)');
  const get = peopleCommand(noun, 'get <user>', 'show both', 'claviger users directory-identity get sarah');
  withConnectionOptions(get).action(async (user: string, options: ConnectionOptions) =>
    (await identities()).getIdentity(user, options),
  );
  const set = peopleCommand(
    noun,
    'set <user>',
    'replace the names, the groups, or both; nobody sets their own',
    "claviger users directory-identity set sarah --account-name 'acme\\sarah' --group Finance",
  )
    .option('--account-name <name>', 'as devices report it; may be given several times', several)
    .option('--no-account-name', 'devices do not know them')
    .option('--group <group>', 'a directory group; may be given several times', several)
    .option('--no-group', 'they are in none');
  withConnectionOptions(set).action(async (user: string, options: IdentityOptions) =>
    (await identities()).setIdentity(user, options),
  );
}
