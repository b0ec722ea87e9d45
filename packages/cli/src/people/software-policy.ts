import * as rules from '@claviger/contracts/workflow/v1/rules';
import type { ApiClient } from '../api/api-client.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { escapeText } from './escape.ts';
import { isId } from './find-by-name.ts';
import { type Listed, listLimited } from './paging.ts';
import { withSession } from './session.ts';
import { type Column, fieldsText, type OutputFormat, showJson, timeText } from './show.ts';
import { showList } from './show-list.ts';
import { siteId } from './sites.ts';

export interface SoftwareListOptions extends ConnectionOptions, ListOptions {
  readonly search?: string;
  readonly list?: string;
}
/** False takes a condition away, or the site. */
export interface SoftwareFields extends ConnectionOptions {
  readonly name?: string;
  readonly list?: string;
  readonly signer?: string | false;
  readonly hash?: string | false;
  readonly path?: string | false;
  readonly site?: string | false;
  readonly state?: 'on' | 'off';
}

type Entry = rules.SoftwareEntry;
const service = rules.SoftwarePolicyService;

const columns: readonly Column<Entry>[] = [
  ['LIST', (row) => row.list],
  ['NAME', (row) => row.name],
  ['WHEN', whenText],
  ['STATE', (row) => (row.enabled ? '' : 'off')],
  ['ID', (row) => row.id],
];

export function listSoftware(options: SoftwareListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { search = '', list = '' } = options;
    showList(await read(api, { search, list }, options), columns, format);
  });
}

export function addSoftware(name: string, options: SoftwareFields): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { entry } = await api.call(service.createSoftwareEntry, {
      ...(await fieldsOf(api, options)),
      name,
    });
    show(entry!, format);
  });
}

export function updateSoftware(name: string, options: SoftwareFields): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const change = await fieldsOf(api, options);
    if (Object.keys(change).length === 0)
      throw new CommandError(
        'nothing to change is named: `claviger software-policy update --help`',
        EXIT.usage,
      );
    const { entry } = await api.call(service.updateSoftwareEntry, {
      ...change,
      id: await entryId(api, name),
    });
    show(entry!, format);
  });
}

/** Bound to the entry as it is shown here: refused when it has changed since. */
export function coSignSoftware(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const id = await entryId(api, name);
    const entries = (await read(api, {}, { all: true })).items;
    const seen = entries.find((entry) => entry.id === id);
    if (!seen) throw new CommandError(`there is no known software "${name}"`, EXIT.notFound);
    tell(escapeText(`${seen.name}: ${seen.list} when ${whenText(seen)}`));
    const { entry } = await api.call(service.coSignSoftwareEntry, { id, rowVersion: seen.rowVersion });
    show(entry!, format);
  });
}

export function deleteSoftware(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api }) => {
    await api.call(service.deleteSoftwareEntry, { id: await entryId(api, name) });
    tell('deleted');
  });
}

/** What is given, under the names of the API; null takes a field away. */
async function fieldsOf(api: ApiClient, options: SoftwareFields): Promise<Record<string, unknown>> {
  const { name, list, signer, hash, path, site, state } = options;
  const fields = {
    name,
    list,
    matchSigner: signer,
    matchHash: hash,
    matchPathGlob: path,
    siteId: typeof site === 'string' ? await siteId(api, site) : site,
    enabled: state === undefined ? undefined : state === 'on',
  };
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([field, value]) => [field, value === false && field !== 'enabled' ? null : value]),
  );
}

function read(
  api: ApiClient,
  filter: { readonly search?: string; readonly list?: string },
  options: ListOptions,
): Promise<Listed<Entry>> {
  return listLimited(async (page) => {
    const answer = await api.call(service.listSoftwareEntries, { ...filter, ...page });
    return { items: answer.entries, total: answer.pagination?.total ?? 0, nextCursor: answer.nextCursor };
  }, options);
}

/** The id of an entry given by name or id. */
async function entryId(api: ApiClient, text: string): Promise<string> {
  if (isId(text)) return text;
  const found = (await read(api, { search: text }, { all: true })).items.filter(({ name }) => name === text);
  const [first, second] = found;
  if (first === undefined)
    throw new CommandError(
      `there is no known software "${text}": \`claviger software-policy list\` shows it all`,
      EXIT.notFound,
    );
  if (second === undefined) return first.id;
  const ids = found.map(({ id }) => id).join(', ');
  throw new CommandError(`several entries are called "${text}": name one by its id (${ids})`, EXIT.usage);
}

function whenText(row: Entry): string {
  const conditions: readonly (readonly [string, string | undefined])[] = [
    ['signer', row.matchSigner],
    ['hash', row.matchHash?.slice(0, 12)],
    ['path', row.matchPathGlob],
    ['site', row.siteId],
  ];
  return conditions.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`])).join(', ');
}

function show(row: Entry, format: OutputFormat): void {
  if (format === 'json') return showJson(row);
  say(
    fieldsText([
      ['entry', row.id],
      ['name', row.name],
      ['list', row.list],
      ['state', row.enabled ? 'on' : 'off'],
      ['signer', row.matchSigner],
      ['SHA-256', row.matchHash],
      ['path', row.matchPathGlob],
      ['site', row.siteId],
      ['written by', row.authors.map(({ id, name }) => name || id).join(', ')],
      ['co-signed by', row.coSigners.map(({ id, name }) => name || id).join(', ')],
      ['changed', timeText(row.updatedAt)],
    ]),
  );
}
