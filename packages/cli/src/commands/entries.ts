import { type Command, Option } from 'commander';
import {
  nounCommand,
  peopleCommand,
  positive,
  several,
  withConnectionOptions,
  withPaging,
} from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';
import type {
  EntryCreateOptions,
  EntryListOptions,
  EntryScheduleOptions,
  EntryUpdateOptions,
  PagedOptions,
} from '../people/entries.ts';
import type { RetrieveOptions } from '../people/retrieve-entry.ts';
import type { RotateOptions } from '../people/rotate-entry.ts';
import { withSecretOutput } from '../people/secret-options.ts';

const work = () => import('../people/entries.ts');

export function register(program: Command): void {
  const noun = nounCommand(program, 'entries', 'the secrets in the vault');
  const list = peopleCommand(
    noun,
    'list',
    'list and search entries',
    'claviger entries list --search postgres',
  )
    .option('--search <text>', 'over name, user name, resource and tags')
    .option('--resource <resource>', 'only those of a resource, by name or id')
    .option('--owner <user>', 'only those of an owner, by name or id')
    .addOption(
      new Option('--rotation-state <state>', 'only these').choices([
        'idle',
        'pending',
        'applying',
        'ambiguous',
        'out_of_sync',
      ]),
    )
    .option('--tag <tag>', 'only those with this tag');
  withConnectionOptions(withPaging(list)).action(async (options: EntryListOptions) =>
    (await work()).listEntries(options),
  );
  const show = peopleCommand(
    noun,
    'show <entry>',
    'show one, without its secret',
    'claviger entries show app-login',
  );
  withConnectionOptions(show).action(async (entry: string, options: ConnectionOptions) =>
    (await work()).showEntry(entry, options),
  );
  registerCreate(noun);
  registerChanges(noun);
  registerRetrieve(noun);
  registerAdopt(noun);
  registerRotate(noun);
  const rotations = peopleCommand(
    noun,
    'rotations <entry>',
    'list its rotations',
    'claviger entries rotations app-login',
  );
  withConnectionOptions(withPaging(rotations)).action(async (entry: string, options: PagedOptions) =>
    (await work()).listRotations(entry, options),
  );
  const versions = peopleCommand(
    noun,
    'versions <entry>',
    'list its versions and how many have seen each',
    'claviger entries versions app-login',
  );
  withConnectionOptions(withPaging(versions)).action(async (entry: string, options: PagedOptions) =>
    (await work()).listVersions(entry, options),
  );
  const share = peopleCommand(
    noun,
    'share <entry> <user>',
    'give a user a standing right on an entry, or take it back',
    'claviger entries share app-login bob --access view',
  ).addOption(
    new Option('--access <access>', 'which right')
      .choices(['view', 'modify', 'manage', 'none'])
      .makeOptionMandatory(),
  );
  withConnectionOptions(share).action(
    async (entry: string, user: string, options: ConnectionOptions & { access: string }) =>
      (await work()).shareEntry(entry, user, options),
  );
}

function registerCreate(noun: Command): void {
  const create = peopleCommand(
    noun,
    'create <name>',
    'keep a secret: from a file, from standard input, or generated',
    'claviger entries create app-login --resource db-prod --username app --secret-file ./app.password',
  )
    .option('--resource <resource>', 'resource that the account is on, by name or id')
    .option('--username <name>', 'name of the account')
    .addOption(
      new Option('--type <type>', 'what it is').choices(['password', 'ssh-key', 'api-key', 'note', 'file']),
    )
    .option(
      '--secret-file <file>',
      'file with the secret (UTF-8; any bytes for the type file); without it, standard input is read',
    )
    .option('--generate', 'let the vault make a password')
    .option('--description <text>', 'description')
    .option('--tag <tag>', 'tag; may be given several times', several)
    .option('--rotate-every <hours>', 'rotate it by itself, every so many hours', positive)
    .option('--requires-grant', 'a live grant is needed even by those who hold a share')
    .option('--requires-reason', 'whoever retrieves it must say why');
  withConnectionOptions(create).action(async (name: string, options: EntryCreateOptions) =>
    (await work()).createEntry(name, options),
  );
}

function registerChanges(noun: Command): void {
  const update = peopleCommand(
    noun,
    'update <entry>',
    'change what is given; a new secret becomes a new version',
    'claviger entries update app-login --description "billing" --requires-reason',
  )
    .option('--name <name>', 'new name')
    .option('--username <name>', 'name of the account')
    .option('--secret-file <file>', 'file with the new secret')
    .option('--description <text>', 'description')
    .option('--tag <tag>', 'tags in place of the old ones; may be given several times', several)
    .option('--requires-grant', 'a live grant is needed even by those who hold a share')
    .option('--no-requires-grant', 'a share is enough again')
    .option('--requires-reason', 'whoever retrieves it must say why')
    .option('--no-requires-reason', 'no reason is needed any more');
  withConnectionOptions(update).action(async (entry: string, options: EntryUpdateOptions) =>
    (await work()).updateEntry(entry, options),
  );
  const remove = peopleCommand(
    noun,
    'delete <entry>',
    'delete an entry; what happened with it stays in the audit log',
    'claviger entries delete app-login',
  );
  withConnectionOptions(remove).action(async (entry: string, options: ConnectionOptions) =>
    (await work()).deleteEntry(entry, options),
  );
  const verify = peopleCommand(
    noun,
    'verify <entry>',
    'log in to the target with the current secret; that proves an unproven account',
    'claviger entries verify app-login',
  );
  withConnectionOptions(verify).action(async (entry: string, options: ConnectionOptions) =>
    (await work()).verifyEntry(entry, options),
  );
  const accept = peopleCommand(
    noun,
    'accept <entry>',
    'accept an unproven account as owner of its resource; the entry becomes yours and its shares end',
    'claviger entries accept app-login --reason "ours"',
  ).option('--reason <text>', 'why; auditors read it');
  withConnectionOptions(accept).action(
    async (entry: string, options: ConnectionOptions & { reason?: string }) =>
      (await work()).acceptAccount(entry, options),
  );
  const schedule = peopleCommand(
    noun,
    'schedule <entry>',
    'rotate it by itself, or stop that',
    'claviger entries schedule app-login --every 720 --starting-at 2026-12-24T03:00:00Z',
  )
    .option('--every <hours>', 'every so many hours', positive)
    .option('--never', 'not any more')
    .option('--starting-at <time>', 'when first; one interval from now when not given');
  withConnectionOptions(schedule).action(async (entry: string, options: EntryScheduleOptions) =>
    (await work()).scheduleRotation(entry, options),
  );
}

function registerRetrieve(noun: Command): void {
  const retrieve = peopleCommand(
    noun,
    'retrieve <entry>',
    'disclose the secret to you, by a share or a live grant; it is recorded first',
    'claviger entries retrieve app-login --reason "restore test" --output-file ./app.password',
  )
    .option('--reason <text>', 'why; auditors read it')
    .option('--ticket <text>', 'ticket that it belongs to')
    .option('--entry-version <n>', 'an older version', positive);
  withConnectionOptions(withSecretOutput(retrieve)).action(
    async (entry: string, options: RetrieveOptions) => {
      const { retrieveEntry } = await import('../people/retrieve-entry.ts');
      await retrieveEntry(entry, options);
    },
  );
}

function registerAdopt(noun: Command): void {
  const adopt = peopleCommand(
    noun,
    'adopt <entry>',
    'take over an entry whose owner has left; without an owner of its resource two administrators do',
    'claviger entries adopt app-login --reason "its owner has left"',
  ).requiredOption('--reason <text>', 'why; auditors read it');
  withConnectionOptions(adopt).action(
    async (entry: string, options: ConnectionOptions & { reason: string }) => {
      const { adoptEntry } = await import('../people/adopt-entry.ts');
      await adoptEntry(entry, options);
    },
  );
}

function registerRotate(noun: Command): void {
  const rotate = peopleCommand(
    noun,
    'rotate <entry>',
    'change the password on the target and in the vault',
    'claviger entries rotate app-login --wait',
  )
    .option('--reason <text>', 'why; auditors read it')
    .option(
      '--secret-lost',
      'nobody knows the current password: the administrator of the resource sets another one',
    )
    .option('--wait', 'wait until it has ended')
    .option('--timeout <duration>', 'how long to wait', '2m');
  withConnectionOptions(rotate).action(async (entry: string, options: RotateOptions) => {
    const { rotateEntry } = await import('../people/rotate-entry.ts');
    process.exitCode = await rotateEntry(entry, options);
  });
}
