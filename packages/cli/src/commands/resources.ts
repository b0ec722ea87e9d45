import { type Command, Option } from 'commander';
import {
  nounCommand,
  peopleCommand,
  several,
  withConnectionOptions,
  withPaging,
} from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';
import type { ResourceFields, ResourceListOptions } from '../people/resources.ts';

const work = () => import('../people/resources.ts');

export function register(program: Command): void {
  const noun = nounCommand(program, 'resources', 'the systems whose accounts the vault keeps');
  const list = peopleCommand(noun, 'list', 'list resources', 'claviger resources list --search db')
    .option('--search <text>', 'only those that name this')
    .option('--tag <tag>', 'only those with this tag');
  withConnectionOptions(withPaging(list)).action(async (options: ResourceListOptions) =>
    (await work()).listResources(options),
  );
  const show = peopleCommand(
    noun,
    'show <resource>',
    'show one, by name or id',
    'claviger resources show db-prod',
  );
  withConnectionOptions(show).action(async (resource: string, options: ConnectionOptions) =>
    (await work()).showResource(resource, options),
  );
  const create = peopleCommand(
    noun,
    'create <name>',
    'add a resource',
    'claviger resources create db-prod --type database --module pg --host db.example --port 5432 --settings settings.json',
  );
  withFields(create).makeOptionMandatory();
  withConnectionOptions(create).action(async (name: string, options: ResourceFields) =>
    (await work()).createResource(name, options),
  );
  const update = peopleCommand(
    noun,
    'update <resource>',
    'change what is given',
    'claviger resources update db-prod --host db2.example',
  ).option('--name <name>', 'new name');
  withFields(update);
  withConnectionOptions(update).action(async (resource: string, options: ResourceFields) =>
    (await work()).updateResource(resource, options),
  );
  const remove = peopleCommand(
    noun,
    'delete <resource>',
    'remove a resource that has no entries',
    'claviger resources delete db-old',
  );
  withConnectionOptions(remove).action(async (resource: string, options: ConnectionOptions) =>
    (await work()).deleteResource(resource, options),
  );
  const owner = peopleCommand(
    noun,
    'owner <resource> <user>',
    'give a resource to another owner',
    'claviger resources owner db-prod bob',
  );
  withConnectionOptions(owner).action(async (resource: string, user: string, options: ConnectionOptions) =>
    (await work()).giveResource(resource, user, options),
  );
  const policy = peopleCommand(
    noun,
    'policy <resource>',
    'show what a request must pass; with --file, replace it',
    'claviger resources policy db-prod --file policy.json',
  ).option('--file <file>', 'JSON: steps, maxDurationMinutes, oneTime, rotateOnEnd, requestTtlMinutes');
  withConnectionOptions(policy).action(
    async (resource: string, options: ConnectionOptions & { file?: string }) =>
      (await work()).accessPolicy(resource, options),
  );
}

function withFields(command: Command): Option {
  const type = new Option('--type <type>', 'what it is').choices([
    'server',
    'database',
    'device',
    'application',
  ]);
  command
    .addOption(type)
    .option('--module <module>', 'connector that reaches it, by name or id')
    .option('--host <host>', 'host name or address')
    .option('--port <port>', 'port', Number)
    .option('--description <text>', 'description')
    .option('--tag <tag>', 'tag; may be given several times', several)
    .option('--settings <file>', "connector settings as JSON, e.g. a host key's fingerprint; no secrets")
    .option('--admin-entry <entry>', 'entry that the connector changes passwords with, by name or id');
  return type;
}
