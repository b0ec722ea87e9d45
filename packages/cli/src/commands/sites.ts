import type { Command } from 'commander';
import {
  nounCommand,
  peopleCommand,
  several,
  withConnectionOptions,
  withPaging,
} from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';
import type { KeepOptions, SiteFields, SiteListOptions } from '../people/sites.ts';

const work = () => import('../people/sites.ts');

export function register(program: Command): void {
  const noun = nounCommand(program, 'sites', 'places where devices stand, and technicians kept to them');
  const list = peopleCommand(noun, 'list', 'list the sites that you may see', 'claviger sites list').option(
    '--search <text>',
    'only those that name this',
  );
  withConnectionOptions(withPaging(list)).action(async (options: SiteListOptions) =>
    (await work()).listSites(options),
  );
  const show = peopleCommand(noun, 'show <site>', 'show one, by name or id', 'claviger sites show HQ');
  withConnectionOptions(show).action(async (site: string, options: ConnectionOptions) =>
    (await work()).showSite(site, options),
  );
  const create = peopleCommand(noun, 'create <name>', 'add a site', 'claviger sites create HQ').option(
    '--description <text>',
    'description',
  );
  withConnectionOptions(create).action(async (name: string, options: SiteFields) =>
    (await work()).createSite(name, options),
  );
  const update = peopleCommand(
    noun,
    'update <site>',
    'change what is given',
    'claviger sites update HQ --name Headquarters',
  )
    .option('--name <name>', 'new name')
    .option('--description <text>', 'description');
  withConnectionOptions(update).action(async (site: string, options: SiteFields) =>
    (await work()).updateSite(site, options),
  );
  const remove = peopleCommand(
    noun,
    'delete <site>',
    'remove a site without devices',
    'claviger sites delete HQ',
  );
  withConnectionOptions(remove).action(async (site: string, options: ConnectionOptions) =>
    (await work()).deleteSite(site, options),
  );
  const keep = peopleCommand(
    noun,
    'keep <user>',
    'show the sites that a technician is kept to; with an option, keep them to others, at once',
    'claviger sites keep tom --site HQ --site Harbour',
  )
    .option('--site <site>', 'to this one, by name or id; may be given several times', several)
    .option('--none', 'to no site at all')
    .option('--every', 'to none in particular');
  withConnectionOptions(keep).action(async (user: string, options: KeepOptions) =>
    (await work()).keepToSites(user, options),
  );
}
