import * as devices from '@claviger/contracts/auth/v1/devices';
import type { ApiClient } from '../api/api-client.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { isId, userId } from './find-by-name.ts';
import { listItems } from './paging.ts';
import { withSession } from './session.ts';
import { type Column, fieldsText, type OutputFormat, showJson, timeText } from './show.ts';
import { showList } from './show-list.ts';

export interface SiteListOptions extends ConnectionOptions, ListOptions {
  readonly search?: string;
}
export interface SiteFields extends ConnectionOptions {
  readonly name?: string;
  readonly description?: string;
}
export interface KeepOptions extends ConnectionOptions {
  readonly site?: string[];
  readonly none?: boolean;
  readonly every?: boolean;
}

const service = devices.SitesService;

const columns: readonly Column<devices.Site>[] = [
  ['ID', (row) => row.id],
  ['NAME', (row) => row.name],
  ['DEVICES', (row) => row.devices],
  ['DESCRIPTION', (row) => row.description],
];

export function listSites(options: SiteListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { search = '' } = options;
    showList(await listItems(api, service.listSites, { search }, options), columns, format);
  });
}

export function showSite(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { site } = await api.call(service.getSite, { siteId: await siteId(api, name) });
    show(site!, format);
  });
}

export function createSite(name: string, options: SiteFields): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { site } = await api.call(service.createSite, { name, description: options.description ?? '' });
    show(site!, format);
  });
}

export function updateSite(which: string, options: SiteFields): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { name, description } = options;
    const { site } = await api.call(service.updateSite, {
      siteId: await siteId(api, which),
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description }),
    });
    show(site!, format);
  });
}

export function deleteSite(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api }) => {
    await api.call(service.deleteSite, { siteId: await siteId(api, name) });
    tell('deleted');
  });
}

/** Shows the sites that somebody is kept to, or keeps them to others. */
export function keepToSites(user: string, options: KeepOptions): Promise<void> {
  const { site = [], none = false, every = false } = options;
  const ways = [site.length > 0, none, every].filter(Boolean).length;
  if (ways > 1) throw new CommandError('give --site, --none or --every, not several of them', EXIT.usage);
  return withSession(options, async ({ api, format }) => {
    const who = { userId: await userId(api, user) };
    const siteIds: string[] = [];
    for (const each of site) siteIds.push(await siteId(api, each));
    const kept =
      ways === 0
        ? await api.call(service.getUserSites, who)
        : await api.call(service.setUserSites, { ...who, restricted: !every, siteIds });
    if (format === 'json') return showJson(kept);
    if (!kept.restricted) return say('every site');
    say(kept.siteIds.length === 0 ? 'no site' : kept.siteIds.join('\n'));
  });
}

/** The id of a site given by name or id. */
export async function siteId(api: ApiClient, text: string): Promise<string> {
  if (isId(text)) return text;
  const { items } = await listItems(api, service.listSites, { search: text }, { all: true });
  const found = items.find(({ name }) => name === text);
  if (found !== undefined) return found.id;
  throw new CommandError(
    `there is no site "${text}", or you may not see it: \`claviger sites list\` shows them`,
    EXIT.notFound,
  );
}

function show(site: devices.Site, format: OutputFormat): void {
  if (format === 'json') return showJson(site);
  say(
    fieldsText([
      ['site', site.id],
      ['name', site.name],
      ['description', site.description],
      ['devices', site.devices],
      ['changed', timeText(site.updatedAt)],
    ]),
  );
}
