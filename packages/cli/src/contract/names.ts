import type { ApiClient } from '@claviger/api-client';
import { orNotFound } from '@claviger/api-client/or-not-found';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { listAll } from './lists.ts';

interface Named {
  /** Operation that lists the objects. */
  readonly list: string;
  /** Property with the name. */
  readonly by: string;
  /** Noun that lists them. */
  readonly noun: string;
  /** Preferred among several with the same name. */
  readonly prefer?: (row: Readonly<Record<string, unknown>>) => boolean;
}

/** Objects that can be given by name instead of id. */
const NAMED: Readonly<Record<string, Named>> = {
  entry: { list: 'ListEntries', by: 'name', noun: 'entries' },
  resource: { list: 'ListResources', by: 'name', noun: 'resources' },
  module: { list: 'ListModules', by: 'name', noun: 'modules' },
  user: { list: 'ListUsers', by: 'username', noun: 'users' },
  role: { list: 'ListRoles', by: 'name', noun: 'roles' },
  device: { list: 'ListDevices', by: 'hostname', noun: 'devices', prefer: (row) => row.status === 'active' },
  group: { list: 'ListDeviceGroups', by: 'name', noun: 'device-groups' },
  site: { list: 'ListSites', by: 'name', noun: 'sites' },
  rule: { list: 'ListRules', by: 'name', noun: 'rules' },
  software: { list: 'ListSoftwareEntries', by: 'name', noun: 'software-policy' },
  tenant: {
    list: 'ListTenants',
    by: 'name',
    noun: 'tenants',
    prefer: (row) => !String(row.status).startsWith('deprovision'),
  },
};

/** Fields named after a role of the object. */
const ALIASES: Readonly<Record<string, string>> = {
  owner: 'user',
  responsible: 'user',
  adminEntry: 'entry',
};

/** Kind of object that a field refers to, e.g. `entry` for `entryIds`; undefined if it has no name. */
export function kindOf(property: string): string | undefined {
  const bare = property.replace(/Ids?$/, '');
  if (bare === property) return undefined;
  const kind = ALIASES[bare] ?? bare;
  return kind in NAMED ? kind : undefined;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
export const isId = (text: string) => uuid.test(text);

/** Objects with exactly this name; the search of the server is wider. The case of host names is ignored. */
async function named(
  api: ApiClient,
  kind: string,
  text: string,
): Promise<Readonly<Record<string, unknown>>[]> {
  const { list, by, prefer } = NAMED[kind]!;
  const fold = (name: unknown) => (by === 'hostname' ? String(name).toLowerCase() : name);
  const found = (await listAll(api, list, { search: text })).filter((row) => fold(row[by]) === fold(text));
  const preferred = prefer === undefined ? found : found.filter(prefer);
  return preferred.length > 0 ? preferred : found;
}

/** The id of an object given by name or id. Throws if there is none with the name, or several. */
export async function idOf(api: ApiClient, kind: string, text: string): Promise<string> {
  if (isId(text)) return text;
  return onlyId(kind, text, await named(api, kind, text));
}

function onlyId(kind: string, text: string, found: readonly Readonly<Record<string, unknown>>[]): string {
  const { noun } = NAMED[kind]!;
  if (found.length === 0)
    throw new CommandError(
      `there is no ${kind} "${text}", or you cannot see it: \`claviger ${noun} list\` lists them`,
      EXIT.notFound,
    );
  const ids = found.map(({ id }) => String(id));
  if (ids.length > 1)
    throw new CommandError(
      `${ids.length} ${noun} have the name "${text}": give the id of one (${ids.join(', ')})`,
      EXIT.usage,
    );
  return ids[0]!;
}

/** Resource or entry of a request, by name or id. A resource precedes an entry of the same name. */
export async function accessSubject(
  api: ApiClient,
  text: string,
): Promise<{ resourceId: string } | { entryId: string }> {
  if (isId(text)) {
    const { operation } = await import('@claviger/api-client/operations');
    const resource = await orNotFound(api.invoke(operation('GetResource'), { resourceId: text }));
    return resource === undefined ? { entryId: text } : { resourceId: text };
  }
  const resources = await named(api, 'resource', text);
  if (resources.length > 0) return { resourceId: onlyId('resource', text, resources) };
  return { entryId: await idOf(api, 'entry', text) };
}
